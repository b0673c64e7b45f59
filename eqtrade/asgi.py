"""The websocket. REST, admin and pages are served over WSGI."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "eqtrade.settings")
_http = get_asgi_application()

from channels.routing import ProtocolTypeRouter  # noqa: E402

from eqtrade.tracing import begin_tracing  # noqa: E402

begin_tracing("ws")

from blotter.live.routing import websocket_application  # noqa: E402 - needs Django set up
from kernel.collecting import settle  # noqa: E402
from prices.sessions.calendar import published_calendar  # noqa: E402

application = ProtocolTypeRouter({"http": _http, "websocket": websocket_application})

# A second of work that no first connection should wait for.
published_calendar()
settle()
