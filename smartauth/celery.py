"""The Celery application: `celery -A smartauth worker`."""

import os
from pathlib import Path

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smartauth.settings")
application = Celery("smartauth")
application.config_from_object("django.conf:settings", namespace="CELERY")
application.autodiscover_tasks()
for folder in ("data_folder_in", "control_folder"):
    if path := (application.conf.broker_transport_options or {}).get(folder):
        Path(path).mkdir(parents=True, exist_ok=True)
