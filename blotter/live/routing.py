"""The websocket's door: a session or a token opens it, and a browser only from our own pages."""

from collections.abc import Awaitable, Callable
from typing import Any, cast
from urllib.parse import urlsplit

from channels.routing import URLRouter
from channels.security.websocket import WebsocketDenier
from channels.sessions import CookieMiddleware
from django.conf import settings
from django.urls import path

from blotter.live.connection import Connection
from blotter.live.logins import ADDRESS, Login

Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


def _header(scope: dict[str, Any], name: bytes) -> str | None:
    for key, value in scope.get("headers", []):
        if key == name:
            return str(value.decode("latin1"))
    return None


def same_origin(scope: dict[str, Any]) -> bool:
    """True if the Origin, where one is sent, is this site or a trusted one. Programs send none."""
    origin = _header(scope, b"origin")
    if origin is None:
        return True
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    return urlsplit(origin).netloc == _header(scope, b"host")


class OriginCheck:
    def __init__(self, inner: Application) -> None:
        self._inner = inner

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        application: Application = self._inner
        if not same_origin(scope):
            application = cast(Application, WebsocketDenier())
        await application(scope, receive, send)


class LoginScope:
    """What the client shows to be let in: `Authorization: Token …` beats a session's cookie. It is
    looked at when the connection is there, for all who wait at once."""

    def __init__(self, inner: Application) -> None:
        self._inner = inner

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        header = _header(scope, b"authorization")
        if header and header.startswith("Token "):
            login = Login(token=header.removeprefix("Token ").strip())
        else:
            login = Login(session=scope["cookies"].get(settings.SESSION_COOKIE_NAME, ""))
        await self._inner({**scope, "login": login}, receive, send)


# Django's type of a path takes views, and Channels' types of a scope only what Channels adds.
_connections: Any = URLRouter([cast(Any, path(ADDRESS, cast(Any, Connection.as_asgi())))])
_with_login: Any = LoginScope(_connections)
websocket_application = OriginCheck(cast(Application, CookieMiddleware(_with_login)))
