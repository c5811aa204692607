"""One process that becomes many, each of which runs the whole server."""

import os
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier


def work_beside_others(pipes: list[Connection], barrier: Barrier, known: Callable[..., object]) -> None:
    """Everything is imported once, a second of CPU; then the process divides, before there is a thread or a connection.

    A process ends when the other end of its pipe is closed.
    """
    os.setsid()
    import smartauth.asgi
    import smartauth.urls  # noqa: F401

    assert threading.active_count() == 1
    for number, pipe in enumerate(pipes):
        if os.fork() == 0:
            for other in pipes[number + 1 :]:
                other.close()
            try:
                _work(pipe, barrier, known)
            finally:
                os._exit(1)
        pipe.close()
    for _ in pipes:
        os.wait()


def _work(pipe: Connection, barrier: Barrier, known: Callable[..., object]) -> None:
    import smartauth.asgi
    from smartauth.startup_checks import gate

    gate.open()  # as a server does when it starts: else the first requests of a process wait for its checks
    commands = known(smartauth.asgi.application, barrier)
    while True:
        name, arguments = pipe.recv()
        try:
            pipe.send(getattr(commands, name)(*arguments))
        except Exception as error:  # noqa: BLE001  # the test must hear of it, whatever it is
            pipe.send(AssertionError(f"{name}: {error!r}"))
