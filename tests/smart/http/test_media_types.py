import pytest

from smart.http.media_types import FORM, parse_accept, parse_media_type
from tests.work import LINEAR, growth, work_of


@pytest.mark.parametrize(
    ("text", "name", "parameters"),
    [
        ("", "", {}),
        ("Application/FHIR+JSON ; FhirVersion=4.0", "application/fhir+json", {"fhirversion": "4.0"}),
        (f'{FORM};charset="utf-8"', FORM, {"charset": "utf-8"}),
        ("a/b;x=1;x=2", "a/b", {"x": "1"}),
        ('a/b;x=1X;y="2X"', "a/b", {"x": "1X", "y": "2X"}),
        ("a/b;;=;c", "a/b", {"": "", "c": ""}),
    ],
)
def test_a_media_type_is_its_name_and_its_parameters(text: str, name: str, parameters: dict[str, str]) -> None:
    assert parse_media_type(text) == (name, parameters)


@pytest.mark.parametrize("weight", ["0", "0.", "0.0", "0.000"])
def test_a_weight_of_zero_refuses(weight: str) -> None:
    assert [range_.is_refused for range_ in parse_accept(f"a/b; Q={weight}, */*;q=0.001, c/d")] == [True, False, False]


@pytest.mark.parametrize("weight", ["", "1", "0.0001", "x", "-0"])
def test_any_other_weight_does_not(weight: str) -> None:
    assert not parse_accept(f"a/b;q={weight}")[0].is_refused


@pytest.mark.requirement("SD-20")
@pytest.mark.parametrize("piece", [";", '";', ",;", '\\";', "a=b;", "=,", 'a="'])
def test_a_long_header_costs_no_more_than_its_length(piece: str) -> None:
    text = "a/b;" + piece * (20_000 // len(piece))

    work = work_of(lambda: parse_accept(text))

    assert sum(work) < 100 * len(text)  # who looks at all that is left for each piece looks thousands of times


@pytest.mark.requirement("SD-20")
@pytest.mark.parametrize("piece", [";", '";', ",;", '\\";', "a=b;", "=,", 'a="', '"', "a", " ", "q=0.", "=", "/"])
@pytest.mark.parametrize("start", ["", "a/b;", 'a/b;a="', "a/b;q=0.0"])
def test_what_a_long_header_costs_grows_no_faster_than_it(start: str, piece: str) -> None:
    def read(text: str) -> None:
        for each in parse_accept(text):
            assert each.is_refused in (True, False)

    assert growth(read, piece, start=start) < LINEAR
