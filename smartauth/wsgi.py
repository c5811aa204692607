"""The people's side as WSGI; smartauth.asgi stands in front of it."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smartauth.settings")
application = get_wsgi_application()
