"""What granian serves: one WSGI application for pages and REST API."""

import os

from django.core.wsgi import get_wsgi_application

from automations.warming import warm

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "automations_site.settings")

application = get_wsgi_application()
warm()
