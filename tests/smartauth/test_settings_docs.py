"""docs/settings.md shows the settings of today."""

from smartauth.settings_docs import PAGE, page
from smartauth.settings_table import SETTINGS


def test_the_page_holds_the_table_that_make_settings_writes() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_setting_has_a_row() -> None:
    assert len(SETTINGS) > 30
    assert [line.split("`")[1] for line in page().splitlines() if line.startswith("| `")] == [
        setting.name for setting in SETTINGS
    ]
