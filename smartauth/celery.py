"""The Celery application: `celery -A smartauth worker`."""

import os
import warnings
from pathlib import Path

from celery import Celery
from celery.exceptions import SecurityWarning
from celery.signals import celeryd_init
from django.conf import settings

from smartauth.data_folder import make_new_files_private

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smartauth.settings")
application = Celery("smartauth", task_cls="smartauth.task_lock:ExclusiveTask")
application.config_from_object("django.conf:settings", namespace="CELERY")
application.autodiscover_tasks()
for folder in ("data_folder_in", "control_folder"):
    if path := (application.conf.broker_transport_options or {}).get(folder):
        Path(path).mkdir(mode=0o700, parents=True, exist_ok=True)


@celeryd_init.connect
def _prepare_worker(**_: object) -> None:
    make_new_files_private()
    if settings.SMARTAUTH_DEV:  # a container or a machine of one's own: in production the warning stays
        warnings.simplefilter("ignore", SecurityWarning)
