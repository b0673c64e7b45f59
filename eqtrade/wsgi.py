"""REST, admin and pages."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "eqtrade.settings")
application = get_wsgi_application()

from prices.sessions.calendar import published_calendar  # noqa: E402 - needs Django set up

# A second of work that no first request should wait for.
published_calendar()
