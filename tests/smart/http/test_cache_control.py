"""How long a fetched answer may be used (CL-10)."""

import pytest

from smart.http.cache_control import freshness_seconds


@pytest.mark.requirement("CL-10")
@pytest.mark.parametrize(
    ("said", "age", "life"),
    [
        pytest.param(None, None, 60, id="nothing is said"),
        pytest.param("", None, 60, id="an empty header"),
        pytest.param("public", None, 60, id="nothing is said of how long"),
        pytest.param("max-age=5", None, 5, id="five seconds"),
        pytest.param("Public, Max-Age=5 ", None, 5, id="in other letters"),
        pytest.param('max-age="5"', None, 5, id="quoted"),
        pytest.param("max-age=86400", None, 3600, id="never more than an hour"),
        pytest.param("max-age=99999999999999999999", None, 3600, id="a huge number"),
        pytest.param("max-age=0", None, 0, id="none"),
        pytest.param("max-age=-5", None, 0, id="less than none"),
        pytest.param("max-age=soon", None, 0, id="no number"),
        pytest.param("max-age=5X", None, 0, id="a number and more"),
        pytest.param("max-age", None, 0, id="no value"),
        pytest.param("max-age=\u0665", None, 0, id="a digit that is not ASCII"),
        pytest.param("max-age=60, max-age=5", None, 5, id="the shorter of two"),
        pytest.param("max-age=60, s-maxage=5", None, 5, id="the shorter for shared caches"),
        pytest.param("no-store", None, 0, id="no-store"),
        pytest.param("no-cache, max-age=60", None, 0, id="no-cache beside a life"),
        pytest.param('no-cache="set-cookie", max-age=60', None, 0, id="no-cache with a field"),
        pytest.param("max-age=60", "45", 15, id="it has aged already"),
        pytest.param("max-age=60", "90", 0, id="it is older than it may be"),
        pytest.param(None, "90", 0, id="older than the default"),
        pytest.param("max-age=60", "-90", 60, id="an age that is none"),
        pytest.param("max-age=60", "45X", 60, id="an age that is a number and more"),
        pytest.param("max-age=60", "old", 60, id="an age that is no number"),
    ],
)
def test_an_answer_lives_as_long_as_its_sender_says(said: str | None, age: str | None, life: int) -> None:
    assert freshness_seconds(said, age) == life
