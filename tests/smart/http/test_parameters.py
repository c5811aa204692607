"""The parameters of a request."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smart.http.parameters import MAX_PARAMETERS, MalformedParameters, Parameters, form_pairs


@pytest.mark.requirement("AZ-04", "E11", "E49")
def test_sent_empty_is_omitted_and_sent_twice_is_named() -> None:
    parameters = Parameters.parse(b"a=1&b=&c=1&c=2&d=&d=1&e=1&e=&f=%C3%A9+x")

    assert dict(parameters) == {"a": "1", "f": "é x"}
    assert parameters.repeated == {"c", "d", "e"}
    assert Parameters.parse(b"a=&a=").repeated == {"a"}


@pytest.mark.requirement("E39")
@pytest.mark.parametrize(
    "raw",
    [b"a=%ff", b"a=\xff", b"%00=1", b"a=%00", b"a=\x00", b"&".join(b"a%d=1" % n for n in range(101))],
    ids=["invalid UTF-8", "raw byte", "NUL in a name", "NUL in a value", "raw NUL", "too many"],
)
def test_what_is_no_form_is_refused(raw: bytes) -> None:
    with pytest.raises(MalformedParameters):
        Parameters.parse(raw)


def test_a_hundred_parameters_are_read() -> None:
    assert len(Parameters.parse(b"&".join(b"a%d=1" % number for number in range(100)))) == 100


@given(raw=st.binary(max_size=200))
def test_no_bytes_make_it_raise_anything_else(raw: bytes) -> None:
    try:
        parameters = Parameters.parse(raw)
    except MalformedParameters:
        return
    assert not set(parameters) & parameters.repeated


@given(raw=st.text(alphabet="ab=&;. ~\x01%+2C3A9", max_size=60))
@example(raw="=&=a&&b=&a==b&a")
@example(raw="a+b%20=%C3%A9&%61=+&%=%2&%zz")
@example(raw="a=%C3")
def test_a_form_is_read_as_the_standard_library_reads_it(raw: str) -> None:
    """Which looks at each text for what is encoded, also where nothing is."""
    try:
        expected = parse_qsl(raw, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS)
    except UnicodeDecodeError:
        with pytest.raises(MalformedParameters):
            form_pairs(raw.encode())
    else:
        assert form_pairs(raw.encode()) == expected
