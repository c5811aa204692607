"""Several processes behind one socket: at SIGTERM each answers what came, at SIGHUP one after another is replaced."""

from uvicorn import Server
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import multiprocess

from smartauth.graceful_server import GracefulServer, let_nobody_in


class ServerProcess(multiprocess.Process):
    @property
    def server(self) -> Server:
        if self._server is None:
            self._server = GracefulServer(self.config)
        return self._server


class ServerProcesses(multiprocess.Multiprocess):
    """The parent: it serves nothing, starts the others, and starts one anew that died or hangs."""

    def terminate_all(self) -> None:
        """The parent's hold on the socket ends first: what nobody accepted before its own end would be reset."""
        for each in self.sockets:
            let_nobody_in(each)
            each.close()
        super().terminate_all()

    @property
    def could_not_start(self) -> bool:
        return any(each.exitcode == STARTUP_FAILURE for each in self.processes)


multiprocess.Process = ServerProcess  # type: ignore[misc]  # what uvicorn's supervisor makes, in four places
