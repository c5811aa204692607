"""What may be kept of a request, and that nothing that opens anything is."""

import pytest

from oauth.workbench.console.harmless import harmless_path, harmless_query, harmless_text

pytestmark = pytest.mark.one_engine

TOKEN = "1SdcRjZS3KtRjZcttohSBijB1HUol0ZAE7D49LAZQn4"  # as random_token draws them; workers must name tests alike
JWT = f"{TOKEN}.{TOKEN}.{TOKEN}"


@pytest.mark.parametrize("secret", [TOKEN, JWT, "a" * 41])
@pytest.mark.parametrize("around", ["{}", "the code {} was used", '"{}"', "token={}&x=1", "({})", "a,{}|b"])
def test_a_long_word_is_cut_wherever_it_stands(secret: str, around: str) -> None:
    text = harmless_text(around.format(secret))

    assert text == around.format("…")


def test_addresses_without_a_query_and_short_words_stay() -> None:
    text = "aud is http://127.0.0.1:8000/fhir/r4, expected https://other.example.org/fhir and patient/Observation.rs"

    assert harmless_text(text) == text
    assert harmless_text("a\u202eb\nc") == "a?b?c"
    assert JWT not in harmless_text(f"https://app.example.org/cb/{JWT}")


def test_a_path_keeps_what_is_short() -> None:
    assert harmless_path("/fhir/r4/Patient/amy") == "/fhir/r4/Patient/amy"
    assert harmless_path(f"/fhir/r4/Patient/{TOKEN}") == "/fhir/r4/Patient/…"


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("patient=amy&category=vital-signs&_count=50", "patient=amy&category=vital-signs&_count=50"),
        ("patient:Patient=amy", "patient:Patient=amy"),
        ("code:in=x&date:missing=true", "code:in=x&date:missing=true"),
        ("patient:hunter2=amy", "patient:…=amy"),
        ("name=Shaw&birthdate=1980-01-01", "…&…"),
        (f"access_token={JWT}&state=x&code_verifier=y", "…&…&…"),
        (f"{TOKEN}=", "…"),
        (f"patient={TOKEN}", "patient=…"),
        ("", ""),
    ],
)
def test_of_a_query_only_what_is_known_to_be_harmless_is_shown(query: str, shown: str) -> None:
    assert harmless_query(query) == shown


def test_code_is_a_term_to_fhir_and_a_secret_to_oauth() -> None:
    assert harmless_query("code=1234-5") == "code=1234-5"
    assert harmless_query("code=1234-5", of_oauth=True) == "…"
