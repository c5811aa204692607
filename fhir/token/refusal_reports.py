"""Telling the authorization server which requests were refused (SD-05, HI-08): after the answer, never in its way."""

import logging
import threading
import time
from collections import Counter

import httpx
from django.conf import settings

from smart.http.outgoing_tls import outgoing_tls

INTERVAL_SECONDS = 1.0  # seconds: what is refused meanwhile is told together
MAX_WAITING = 1000  # refusals of different tokens that may wait; what comes on top is forgotten
MAX_COUNT = 1000
TIMEOUT = 3.0

logger = logging.getLogger(__name__)


class RefusalReports:
    """What waits to be told, and the one thread that tells it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._some = threading.Event()
        self._waiting: Counter[tuple[str, int]] = Counter()
        self._thread: threading.Thread | None = None
        self._url = ""

    def add(self, token: str, status: int) -> None:
        """Notes that a request with this token was answered so. Returns at once, whatever the other side does."""
        if not settings.SMARTAUTH_FHIR_REPORT_URL:
            return
        with self._lock:
            self._url = settings.SMARTAUTH_FHIR_REPORT_URL
            if (token, status) in self._waiting or len(self._waiting) < MAX_WAITING:
                self._waiting[token, status] += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="reports", daemon=True)
                self._thread.start()
        self._some.set()

    def _run(self) -> None:
        while self._some.wait():
            time.sleep(INTERVAL_SECONDS)
            self._some.clear()
            with self._lock:
                reported, self._waiting = self._waiting, Counter()
            try:
                _send(reported, self._url)
            except Exception as error:  # noqa: BLE001  # whatever went wrong, the next ones are told
                logger.warning("refused requests could not be reported: %s", type(error).__name__)


def _send(refusals: Counter[tuple[str, int]], url: str) -> None:
    """One report for each token and status. Raises httpx.HTTPError; what was not sent by then never is."""
    credentials = (settings.SMARTAUTH_FHIR_CLIENT_ID, settings.SMARTAUTH_FHIR_CLIENT_SECRET)
    tls = outgoing_tls(settings.SMARTAUTH_CA_FILE)
    with httpx.Client(verify=tls, auth=credentials, timeout=TIMEOUT, trust_env=False, follow_redirects=False) as client:
        for (token, status), count in refusals.items():
            report = {"token": token, "status": status, "count": min(count, MAX_COUNT)}
            answer = client.post(url, json=report)
            if answer.is_error:
                logger.warning("a refused request could not be reported: %d", answer.status_code)


reports = RefusalReports()
