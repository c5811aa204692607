"""`/readyz` for load balancers: asked in one thread of its own, so that it answers while all others are busy."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

from django.db import connections

from oauth.http.machine_response import MachineResponse
from operators.health import readiness_state


class ReadinessMachine:
    """Who asks while the databases are being asked hears that answer: one question at a time, however many ask."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="readiness")
        self._asked: asyncio.Future[MachineResponse] | None = None

    async def answer(self) -> MachineResponse:
        """What the databases, keys and worker are like now."""
        if self._asked is None or self._asked.done():
            self._asked = asyncio.get_running_loop().run_in_executor(self._thread, _ask)
        return await asyncio.shield(self._asked)


def _ask() -> MachineResponse:
    try:
        is_ready, members = readiness_state()
    finally:
        connections.close_all()
    status = HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE
    return MachineResponse(status, json.dumps(members).encode())


readiness_machine = ReadinessMachine()
