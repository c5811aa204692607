"""Names, dates and visits in the words of a page."""

from datetime import date

from accounts import clock
from oauth.models import EncounterRecord, PatientRecord
from smart.text import replace_unsafe_characters
from smart.time_units import to_datetime

NAME_LIMIT = 120
ADULT_YEARS = 18
SEX_WORDS = {"male": ("Boy", "Man"), "female": ("Girl", "Woman"), "other": ("Child", "Person")}


def initials(name: str) -> str:
    """The mark of an app: no picture is fetched from anywhere."""
    return "".join(word[0] for word in name.split() if word[0].isalnum())[:2].upper() or "?"


def display_name(text: str) -> str:
    """As much of a name as a page has room for, without characters that would turn the sentence around it."""
    text = replace_unsafe_characters(text, "")
    return text if len(text) <= NAME_LIMIT else f"{text[: NAME_LIMIT - 1]}…"


def long_date(day: date) -> str:
    """ "4 May 2017"."""
    return f"{day.day} {day:%B %Y}"


def visit_description(encounter: EncounterRecord) -> str:
    """ "Check-up, 3 November 2026, Harbour Clinic", as much of it as is recorded."""
    day = _whole_date(encounter.day)
    when = long_date(day) if day else encounter.day
    return ", ".join(filter(None, (encounter.kind or "Visit", when, encounter.place)))


def birth_phrase(record: PatientRecord) -> str:
    """ "born 4 May 2017", or as much of the date as is recorded."""
    day = _whole_date(record.birth_date)
    when = long_date(day) if day else record.birth_date
    return f"born {when}" if when else ""


def patient_description(record: PatientRecord) -> str:
    """Sex, birth date, age and record number, so that two people of one name differ."""
    age = _age(record)
    is_adult = age is None or age >= ADULT_YEARS
    sex = SEX_WORDS.get(record.sex, ("", ""))[is_adult]
    words = [part for part in (sex, birth_phrase(record)) if part] or ["Sex and birth date not recorded"]
    if age is not None and not record.died:
        words.append(f"{age} years")
    if record.record_number:
        words.append(f"record {record.record_number}")
    return ", ".join(words)


def _age(record: PatientRecord) -> int | None:
    born, today = _whole_date(record.birth_date), to_datetime(clock.now()).date()
    return None if born is None else today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _whole_date(text: str) -> date | None:
    """The date, unless only a part of it is recorded."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
