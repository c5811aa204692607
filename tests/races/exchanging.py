"""What contenders do about codes: many of many people, and which of them were exchanged together."""

import logging
from typing import Any

from tests.races.contender import Commands, Form


class ExchangeCommands(Commands):
    """Commands about codes, and about the batches in which a process exchanged them."""

    def __init__(self, *known: Any) -> None:
        from oauth.http import lane
        from oauth.http.lane import Lane

        super().__init__(*known)
        # a batch waits until the database finds a circle: no time-out hides it
        lane._SET_UP = {name: value for name, value in lane._SET_UP.items() if "_timeout" not in name}
        self._committed, run = 0, Lane.run

        async def counted(lane: Lane, *asked: Any) -> Any:
            rows = await run(lane, *asked)
            self._committed += [text.split()[0] for text, _ in asked] == ["WITH", "COMMIT"]
            return rows

        Lane.run = counted  # type: ignore[method-assign, assignment]
        self._failures = Failures()
        logging.getLogger("smartauth.request").addHandler(self._failures)

    def committed(self) -> int:
        """How many batches this process has committed since it was asked before."""
        found, self._committed = self._committed, 0
        return found

    def failures(self) -> list[str]:
        """What the database refused to batches of this process, by the names of the exceptions."""
        return self._failures.names

    def launches(self, seats: int, codes: int) -> list[Form]:
        """The exchanges of that many codes for each of so many seats."""
        return [form for _ in range(seats) for form in self.make(codes)]


class Failures(logging.Handler):
    """The exceptions of which the server's log tells."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.names: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[0]:
            self.names.append(record.exc_info[0].__name__)
