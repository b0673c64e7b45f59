"""REST, admin and pages."""

import os
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse

from eqtrade.tracing import begin_tracing

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "eqtrade.settings")
# Before the middlewares are read: one of them is its own.
begin_tracing("api")
_django = get_wsgi_application()

from kernel.collecting import settle  # noqa: E402 - needs Django set up
from prices.sessions.calendar import published_calendar  # noqa: E402

# Work that no first request should wait for: a second for the calendar, and all views.
published_calendar()
import_module(settings.ROOT_URLCONF)
settle()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Django's. An answer that is whole goes on as a list, which granian sends at once; the pieces
    of anything else it takes one by one and hands from thread to thread."""
    response = _django(environ, start_response)
    if not isinstance(response, HttpResponse):
        return response
    content = [response.content]
    response.close()
    return content
