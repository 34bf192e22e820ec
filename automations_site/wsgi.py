"""What granian serves: one WSGI application for pages and REST API."""

import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "automations_site.settings")

application = get_wsgi_application()
# Now, and not while the first request of each worker waits for it.
import_module(settings.ROOT_URLCONF)
