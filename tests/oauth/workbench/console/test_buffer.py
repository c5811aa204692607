"""The newest 200 rows, their numbers, and who waits for the next."""

from oauth.workbench.console.buffer import RowBuffer
from oauth.workbench.console.row import Outcome, Row


def row(what: str = "GET /Patient/amy") -> Row:
    return Row(at=0, took=1, what=what, answer="200", outcome=Outcome.LET_IN, head=what, status=200)


def test_the_oldest_makes_room() -> None:
    buffer = RowBuffer()

    for _ in range(205):
        buffer.add(row())

    assert [each.number for each in buffer.rows()] == list(range(6, 206))
    assert [each.number for each in buffer.rows(after=203)] == [204, 205]


def test_numbers_go_on_after_all_is_forgotten() -> None:
    buffer = RowBuffer()
    buffer.add(row())

    buffer.clear()
    buffer.add(row())

    assert (buffer.latest, [each.number for each in buffer.rows()]) == (2, [2])


def test_who_waits_is_woken_and_no_more_may_wait_than_there_is_room_for() -> None:
    buffer, woken = RowBuffer(), list[str]()

    def first() -> None:
        woken.append("first")

    assert buffer.subscribe(first, most=1)
    assert not buffer.subscribe(lambda: woken.append("second"), most=1)
    buffer.add(row())
    buffer.unsubscribe(first)
    buffer.add(row())

    assert woken == ["first"]
