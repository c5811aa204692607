"""What a gateway is told in headers of a decision."""

from typing import Any

import pytest

from smart.decisions.gateway import told

OF_AMY = {"who": {"compartments": ["Patient/amy"]}, "where": []}
OF_BEN = {"who": {"compartments": ["Patient/ben"]}, "where": []}
OF_MANY = {"who": {"compartments_of": "$user"}, "where": []}
LABORATORY = {"name": "category", "values": ["laboratory"]}
NARROWED = {**OF_AMY, "where": [LABORATORY]}


def search(view: dict[str, Any] | None = None, **claims: str) -> dict[str, str]:
    """The headers of a yes to a search, with the status in the place of a no."""
    http = {"method": "GET", "url": "Observation"}
    context = {"claims": claims, **({} if view is None else {"view": view})}
    status, headers = told({"context": {"http": http}}, {"decision": True, "context": context})
    return headers if status == 200 else {"refused": str(int(status))}


@pytest.mark.parametrize(
    ("view", "patient"),
    [
        ({"Observation": [OF_AMY]}, "amy"),
        ({"Observation": [OF_MANY, NARROWED, OF_AMY]}, "amy"),
        ({"Observation": [OF_AMY, OF_BEN], "Patient": [OF_BEN]}, "ben"),
        ({"Observation": [NARROWED]}, ""),
        ({"Observation": [OF_MANY]}, ""),
        ({"Observation": [OF_AMY], "Patient": []}, ""),
        ({"Observation": [OF_AMY], "Patient": [OF_BEN]}, ""),
        ({"Observation": [{"who": {"self": "Practitioner/p"}, "where": []}]}, ""),
        ({"Observation": [{"who": {"compartments": ["Patient/amy", "Patient/ben"]}, "where": []}]}, ""),
        ({"Observation": [{"who": "all", "where": [LABORATORY]}]}, ""),
        ({"Observation": []}, ""),
        ({}, ""),
    ],
)
def test_the_patient_is_one_whose_whole_compartment_every_type_opens(view: dict[str, Any], patient: str) -> None:
    limited = {"X-Smartauth-View": "patient", "X-Smartauth-Patient": patient}
    assert search(view) == (limited if patient else {"refused": "403"})


def test_what_cannot_stand_in_a_header_does_not() -> None:
    claims = {"sub": "a\r\nX-Smartauth-View: all", "client_id": "x" * 1001, "fhirUser": "Practitioner/\u00e9"}

    assert search(None, **claims) == {"X-Smartauth-View": "all"}
    assert search(client_id="app", sub="s")["X-Smartauth-Client"] == "app"
