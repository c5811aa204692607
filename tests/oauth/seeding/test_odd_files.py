"""Seed files that nobody meant to write so: a sentence with the path, never a traceback, and nothing is written."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from oauth.models import Client, FhirServer, PatientRecord
from oauth.seeding import SeedError, seed

pytestmark = pytest.mark.django_db(databases=["default", "audit"])

BASE = "https://odd.example.org/fhir"
SERVER = {"base": BASE, "name": "Odd"}
Write = Callable[[Any], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """A seed file with this text, or with these rows."""

    def make(content: Any) -> Path:
        file = tmp_path / "seed.yaml"
        text = content if isinstance(content, str) else json.dumps(content)
        file.write_bytes(text.encode("utf-8", "surrogateescape"))
        return file

    return make


def why_not(file: Path) -> str:
    """What the command says, and that it wrote nothing."""
    tables = (Client.objects, FhirServer.objects, PatientRecord.objects, User.objects.get_queryset())
    before = [table.count() for table in tables]
    with pytest.raises(CommandError) as refused:
        call_command("seed", str(file))
    assert [table.count() for table in tables] == before
    assert str(refused.value).endswith("Nothing was written.")
    return str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("[" * 20_000, "nested too deeply", id="deep lists"),
        pytest.param("{a: " * 5_000, "nested too deeply", id="deep keys"),
        pytest.param("demo: 'a\0b'", "is not YAML", id="NUL"),
        pytest.param("demo: \udcff", "cannot be read", id="not UTF-8"),
        pytest.param("? [a]\n: b", "is not YAML", id="a list as a key"),
        pytest.param("? {a: b}\n: c", "is not YAML", id="keys as a key"),
        pytest.param("demo: true\n---\ndemo: true", "is not YAML", id="two documents"),
        pytest.param("clients: &x [*x]", "is not YAML", id="a list of itself"),
        pytest.param("<<: {demo: true}", "<<: is not a key here", id="merge"),
        pytest.param('"\\ud800": x', "?: is not a key here", id="half a character as a key"),
        pytest.param('"a\\nb": x', "a?b: is not a key here", id="line break as a key"),
        pytest.param("demo: !!python/object:os.system x", "demo: must be one of true, false", id="a tag"),
        pytest.param(
            "fhir_servers: [{base: https://x.example, name: X, claim_profile: custom, claim_mapping: &m {a: *m}}]",
            "is not YAML", id="a mapping of itself",
        ),
        pytest.param(
            "x: &a [0,0,0,0,0,0,0,0,0,0]\n" + "".join(
                f"x{n}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 10)}]\n" for n in range(9)
            ), "x: is not a key here", id="a billion laughs",
        ),
    ],
)  # fmt: skip
def test_a_file_that_is_no_seed_file(write: Write, text: str, said: str) -> None:
    assert said in why_not(write(text))


def test_aliases_in_a_mapping_are_counted_before_they_are_written_out(write: Write) -> None:
    lines = [
        "fhir_servers:",
        "  - base: https://x.example",
        "    name: X",
        "    claim_profile: custom",
        "    claim_mapping:",
    ]
    lines += ["      a: &a [0,0,0,0,0,0,0,0,0,0]"]
    lines += [f"      {chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 10)}]" for n in range(9)]

    assert "claim_mapping: is too large, or holds itself" in why_not(write("\n".join(lines)))


HALF, NUL = "a\ud800", "a\0"


@pytest.mark.parametrize("odd", [HALF, NUL, "a\u202e", "a\nb"], ids=["half a character", "NUL", "turned", "two lines"])
@pytest.mark.parametrize(
    ("rows", "path"),
    [
        pytest.param({"clients": [{"client_id": "ODD", "name": "x", "authentication": "none"}]},
                     "clients[0].client_id: must be", id="client_id"),
        pytest.param({"clients": [{"client_id": "x", "name": "ODD", "authentication": "none"}]},
                     "clients[0].name: has a control", id="name"),
        pytest.param({"clients": [{"client_id": "x", "name": "x", "authentication": "ODD"}]},
                     "clients[0].authentication: must be one of", id="choice"),
        pytest.param({"clients": [{"client_id": "x", "name": "x", "authentication": "secret", "secret": "ODD"}]},
                     "clients[0].secret: has a control", id="secret"),
        pytest.param({"clients": [{"client_id": "x", "name": "x", "authentication": "keys", "jwks_file": "ODD"}]},
                     "clients[0].jwks_file: has a control", id="file of keys"),
        pytest.param({"clients": [{"client_id": "x", "name": "x", "authentication": "none",
                                   "redirect_uris": ["https://x.example/ODD"]}]},
                     "clients[0].redirect_uris[0]: ", id="redirect URI"),
        pytest.param({"clients": [{"client_id": "x", "name": "x", "authentication": "none", "fhir_servers": ["ODD"]}]},
                     "clients[0].fhir_servers[0]: no FHIR server", id="server of a client"),
        pytest.param({"clients": [{"client_id": "x", "name": "x", "authentication": "none", "tokens_to_keep": "ODD"}]},
                     "clients[0].tokens_to_keep: must be a whole number", id="number"),
        pytest.param({"fhir_servers": [{"base": "https://x.example/ODD", "name": "x"}]},
                     "fhir_servers[0].base: it has a character", id="base"),
        pytest.param({"fhir_servers": [{**SERVER, "patients_from": "ODD"}]},
                     "fhir_servers[0].patients_from: has a control", id="file of patients"),
        pytest.param({"fhir_servers": [{**SERVER, "claim_mapping": {"a": {"value": "ODD"}}}]},
                     "fhir_servers[0].claim_mapping: a: value must be text", id="mapping"),
        pytest.param({"fhir_servers": [{**SERVER, "patients": [{"id": "ODD"}]}]},
                     "fhir_servers[0].patients[0].id: must be a FHIR id", id="patient"),
        pytest.param({"fhir_servers": [{**SERVER, "patients": [{"id": "p", "encounters": [{"id": "ODD"}]}]}]},
                     "fhir_servers[0].patients[0].encounters[0].id: must be a FHIR id", id="visit"),
        pytest.param({"fhir_servers": [{**SERVER, "patients": [{"id": "p", "birth_date": "ODD"}]}]},
                     "fhir_servers[0].patients[0].birth_date: must be a date", id="date"),
        pytest.param({"people": [{"username": "ODD"}]}, "people[0].username: must be", id="user name"),
        pytest.param({"people": [{"username": "x", "email": "x@x.ODD"}]}, "people[0].email: must be", id="email"),
        pytest.param({"people": [{"username": "x", "locale": "German"}]}, "people[0].locale: must be", id="locale"),
        pytest.param({"people": [{"username": "x", "password": "correct horse batteryODD"}]},
                     "people[0].password: has a control", id="password"),
        pytest.param({"people": [{"username": "x", "identities": [{"fhir_server": "ODD", "fhir_user": "Patient/x"}]}]},
                     "people[0].identities[0].fhir_server: no FHIR server", id="server of a person"),
    ],
)  # fmt: skip
def test_odd_characters_are_refused_at_their_path(write: Write, rows: Any, path: str, odd: str) -> None:
    said = why_not(write(json.dumps(rows).replace("ODD", json.dumps(odd)[1:-1])))

    assert path in said
    assert said.isprintable() or said.replace("\n", "").isprintable()


P = {"id": "p1"}
ID = {"fhir_server": BASE, "fhir_user": "Patient/p1"}
APP = {"client_id": "odd-app", "name": "x", "authentication": "none", "redirect_uris": ["https://x.example/cb"]}


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        pytest.param({"fhir_servers": [SERVER, {**SERVER, "base": "https://ODD.example.org/fhir/"}]},
                     "fhir_servers[1].base: is the same as in fhir_servers[0]", id="base"),
        pytest.param({"fhir_servers": [{**SERVER, "patients": [P, P]}]},
                     "fhir_servers[0].patients[1].id: is the same as in fhir_servers[0].patients[0]", id="patient"),
        pytest.param({"fhir_servers": [{**SERVER, "patients": [{**P, "encounters": [{"id": "e"}, {"id": "e"}]}]}]},
                     "fhir_servers[0].patients[0].encounters[1].id: is the same", id="visit"),
        pytest.param({"fhir_servers": [{**SERVER, "patients": [{**P, "encounters": [{"id": "e"}]},
                                                               {"id": "p2", "encounters": [{"id": "e"}]}]}]},
                     "fhir_servers[0].patients[1].encounters[0].id: is one of the patient p1 too", id="shared visit"),
        pytest.param({"people": [{"username": "amy-odd"}, {"username": "amy-odd"}]},
                     "people[1].username: is the same as in people[0]", id="user name"),
        pytest.param({"people": [{"username": "amy-odd"}, {"username": "AMY-odd"}]},
                     "people[1].username: is the same as in people[0]", id="other case"),
        pytest.param({"people": [{"username": "amy-odd"}, {"username": "\uff41my-odd"}]},
                     "people[1].username: is the same as in people[0]", id="other width"),
        pytest.param({"people": [{"username": "stra\u00dfe-odd"}, {"username": "STRASSE-odd"}]},
                     "people[1].username: is the same as in people[0]", id="sharp s"),
        pytest.param({"people": [{"username": "jos\u00e9-odd"}, {"username": "jose\u0301-odd"}]},
                     "people[1].username: is the same as in people[0]", id="decomposed"),
        pytest.param({"fhir_servers": [{**SERVER, "patients": [P]}],
                      "people": [{"username": "x-odd", "identities": [ID, ID]}]},
                     "people[0].identities[1].fhir_server: is the same as in people[0].identities[0]", id="identity"),
        pytest.param({"clients": [APP, APP]}, "clients[1].client_id: is the same as in clients[0]", id="client"),
        pytest.param({"fhir_servers": [SERVER],
                      "clients": [{**APP, "authentication": "secret", "protects": [{"fhir_server": BASE}] * 2}]},
                     "clients[0].protects[1].fhir_server: is the same as in clients[0].protects[0]", id="role"),
        pytest.param({"clients": [{**APP, "grants": ["authorization_code"] * 2}]},
                     "clients[0].grants[0]: authorization_code: stands there twice", id="grant"),
        pytest.param({"fhir_servers": [SERVER],
                      "clients": [{**APP, "protects": [{"fhir_server": BASE}]}]},
                     "clients[0].protects: is only for a client with a secret or keys", id="public resource server"),
        pytest.param({"clients": [{**APP, "grants": ["authorization_code", "password"]}]},
                     "clients[0].grants[1]: password: must be one of", id="unknown grant"),
        pytest.param({"clients": [{**APP, "grants": ["refresh_token"], "redirect_uris": []}]},
                     "clients[0].grants[0]: refresh_token: only a client with authorization_code", id="refresh alone"),
        pytest.param({"clients": [{**APP, "grants": ["client_credentials"], "redirect_uris": []}]},
                     "clients[0].grants[0]: client_credentials: needs a client that proves", id="public service"),
        pytest.param({"clients": [{**APP, "redirect_uris": ["https://a.example/cb https://b.example/cb"]}]},
                     "clients[0].redirect_uris[0]: https://a.example/cb https://b.example/cb: has", id="blank"),
        pytest.param({"clients": [{**APP, "allowed_origins": [""]}]},
                     "clients[0].allowed_origins[0]: an item: has a blank, or is empty", id="empty item"),
        pytest.param({"clients": [{**APP, "scope": "openid", "grants": []}]},
                     "clients[0].scope: a client without authorization_code", id="scopes without a grant"),
    ],
)  # fmt: skip
def test_rows_that_contradict_each_other_are_refused(write: Write, rows: Any, said: str) -> None:
    assert said in why_not(write(rows))


def test_several_problems_of_a_row_are_said_at_once(write: Write) -> None:
    said = why_not(write({"clients": [{**APP, "maker": "\u202e", "scope": "nonsense", "supersede": "all"}]}))

    assert [line.partition(":")[0] for line in said.removeprefix("seed.yaml: ").splitlines()] == [
        "clients[0].maker", "clients[0].maker", "clients[0].scope", "clients[0].supersede",
    ]  # fmt: skip


def test_when_claims_of_a_person_change_is_noted_and_nothing_else_is(write: Write) -> None:
    person = {"username": "odd-claims", "given_name": "Ada", "family_name": "Odd", "locale": "en"}
    seed(write({"people": [person]}))
    User.objects.get_queryset().filter(username="odd-claims").update(updated_at=1)

    seed(write({"people": [{**person, "operator": "true"}]}))
    unchanged = User.objects.get(username="odd-claims").updated_at
    seed(write({"people": [{**person, "locale": "en-IE"}]}))

    row = User.objects.get(username="odd-claims")
    assert (row.given_name, row.family_name, row.locale, unchanged) == ("Ada", "Odd", "en-IE", 1)
    assert row.updated_at > 1


def test_an_email_that_changes_is_no_longer_verified(write: Write) -> None:
    person = {"username": "odd-mail", "email": "one@example.org", "email_verified": "true"}
    seed(write({"people": [person]}))
    del person["email_verified"]

    unchanged = seed(write({"people": [person]})).changes
    seed(write({"people": [{**person, "email": "two@example.org"}]}))

    row = User.objects.get(username="odd-mail")
    assert (unchanged, row.email, row.email_verified) == ([], "two@example.org", 0)
    seed(write({"people": [{**person, "email": "three@example.org", "email_verified": "true"}]}))
    row.refresh_from_db()
    assert (row.email, row.email_verified) == ("three@example.org", 1)


def test_decomposed_letters_and_pasted_blanks_make_the_same_person(write: Write) -> None:
    seed(write({"people": [{"username": "jos\u00e9-odd", "name": "One"}]}))

    outcome = seed(write({"people": [{"username": " jose\u0301-odd ", "name": "Two"}]}))

    assert outcome.changes == ["changed person jos\u00e9-odd: name"]


@pytest.mark.requirement("RG-09")
def test_a_client_without_a_fhir_server_is_registered_with_a_warning(write: Write, capsys: Any) -> None:
    file = write({"clients": [{**APP, "scope": "launch/patient patient/*.rs"}]})

    outcome = seed(file)

    assert Client.of("odd-app")
    assert outcome.warnings == [
        "clients[0].fhir_servers: it may reach no FHIR server, so every request of it is refused."
    ]
    call_command("seed", str(file))
    assert capsys.readouterr().err == f"warning: {outcome.warnings[0]}\n"


# patients_from --------------------------------------------------------------------------------------------------------


def test_what_of_the_patients_was_left_out_is_told_with_the_reason(write: Write, tmp_path: Path) -> None:
    resources = [
        {"resourceType": "Patient", "id": "good", "birthDate": "2001-02"},
        {"resourceType": "Patient"},
        {"resourceType": "Patient", "id": "a b"},
        {"resourceType": "Patient", "id": "unborn", "birthDate": "2999-01-01"},
        {"resourceType": "Patient", "id": "never", "birthDate": "2017-13-45"},
        {"resourceType": "Patient", "id": "turned", "name": [{"text": "Da\u202en"}]},
        {"resourceType": "Patient", "id": "shape", "name": "Amy"},
        {"resourceType": "Patient", "id": "number", "birthDate": 7},
        {"resourceType": "Patient", "id": "good"},
        {"resourceType": "Encounter", "id": "v1", "subject": {"reference": "Patient/good"}},
        {"resourceType": "Encounter", "id": "v2", "subject": {"reference": "Patient/elsewhere"}},
        {"resourceType": "Encounter", "id": "v3", "subject": "Patient/good"},
        {"resourceType": "Encounter", "id": "v4", "subject": {"reference": "Patient/good"}, "period": {"start": "x"}},
        {"resourceType": "Observation", "id": "not asked"},
        "text", None, {"resourceType": 7},
    ]  # fmt: skip
    (tmp_path / "p.json").write_text(json.dumps(resources), encoding="utf-8")

    outcome = seed(write({"fhir_servers": [{**SERVER, "patients_from": "p.json"}]}))

    record = PatientRecord.objects.get(fhir_server__base=BASE)
    assert (record.patient, record.birth_date) == ("good", "2001-02")
    assert [visit.encounter for visit in record.encounters.all()] == ["v1"]
    odd = "members of another shape than FHIR's"
    assert [warning.removeprefix("fhir_servers[0].patients_from: skipped ") for warning in outcome.warnings] == [
        f"resource 1 (Patient/None): it has no id, or {odd}",
        f"resource 6 (Patient/shape): it has no id, or {odd}",
        f"resource 7 (Patient/number): it has no id, or {odd}",
        "resource 8 (Patient/good): its id stands there twice",
        f"resource 11 (Encounter/v3): it has no id, or {odd}",
        "resource 14: it is no FHIR resource",
        "resource 15: it is no FHIR resource",
        "resource 16: it is no FHIR resource",
        "resource 10 (Encounter/v2): its patient is not in the file",
        "Patient/a b: id must be a FHIR id (letters, digits, - and ., at most 64)",
        "Patient/unborn: birth_date lies in the future",
        "Patient/never: birth_date must be a date such as 2017-05-04, not '2017-13-45'",
        "Patient/turned: name has a control character or one that changes the direction of text",
        "Encounter/v4: day must be a date such as 2017-05-04, not 'x'",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", "cannot be read", id="empty"),
        pytest.param("{", "cannot be read", id="no JSON"),
        pytest.param("[" * 20_000, "nested too deeply", id="deep"),
        pytest.param("[NaN]", "cannot be read", id="NaN"),
        pytest.param('{"entry": []}', "is neither a JSON array of FHIR resources nor a Bundle", id="no Bundle"),
        pytest.param('{"resourceType": "Bundle", "entry": {}}', "is neither", id="odd Bundle"),
        pytest.param("7", "is neither", id="a number"),
        pytest.param('{"resourceType": "Bundle", "resourceType": "Bundle"}', "twice in one object", id="twice"),
    ],
)
def test_a_file_of_patients_that_cannot_be_read_stops_the_seed(
    write: Write, tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "p.json").write_text(text, encoding="utf-8")

    assert f"fhir_servers[0].patients_from: p.json {said}" in why_not(
        write({"fhir_servers": [{**SERVER, "patients_from": "p.json"}]})
    ).replace("cannot be read: nested", "nested").replace("cannot be read: it has a member twice", "twice")


def test_a_patient_stands_in_the_file_or_in_the_list(write: Write, tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text('[{"resourceType": "Patient", "id": "p1"}]', encoding="utf-8")

    said = why_not(write({"fhir_servers": [{**SERVER, "patients_from": "p.json", "patients": [P]}]}))

    assert "fhir_servers[0].patients[0].id: is one of patients_from too" in said


def test_an_error_is_an_exception_with_the_path(write: Write) -> None:
    with pytest.raises(SeedError, match=r"^clients\[0\]\.name: is missing\.$"):
        seed(write({"clients": [{"client_id": "x", "authentication": "none"}]}))
