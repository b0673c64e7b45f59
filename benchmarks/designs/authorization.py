"""The table of authorization with the other ways of reading beside the project's own: who has
logged in may read them, as our own lists."""

from dataclasses import replace

from eqtrade.authorization import TABLE as OURS
from kernel.authorization import LOGGED_IN, methods

_READ = methods(GET=LOGGED_IN)
_ROUTES = ("bare/<str:name>/", "usual/positions/", "usual/trades/", "usual/prices/", "usual/pnl/")

TABLE = replace(OURS, routes={**OURS.routes, **{f"api/v1/{each}": _READ for each in _ROUTES}})
