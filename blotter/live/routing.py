"""Who may open the websocket: a session or a token, and a browser only from our own pages."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from channels.auth import AuthMiddlewareStack
from channels.db import database_sync_to_async
from channels.routing import URLRouter
from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.urls import path
from rest_framework.authtoken.models import Token

from blotter.live.connection import Connection

Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


def _header(scope: dict[str, Any], name: bytes) -> str | None:
    for key, value in scope.get("headers", []):
        if key == name:
            return str(value.decode("latin1"))
    return None


def same_origin(scope: dict[str, Any]) -> bool:
    """Whether the Origin, where one is sent, is this site or a trusted one. Programs send none."""
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
        application = self._inner if same_origin(scope) else WebsocketDenier()
        await application(scope, receive, send)


class TokenAuth:
    """`Authorization: Token …` beats the session that AuthMiddlewareStack found."""

    def __init__(self, inner: Application) -> None:
        self._inner = inner

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        header = _header(scope, b"authorization")
        if header and header.startswith("Token "):
            key = header.removeprefix("Token ").strip()
            scope = {**scope, "user": await _user_of(key), "token": key}
        await self._inner(scope, receive, send)


@database_sync_to_async
def _user_of(key: str) -> Any:
    token = Token.objects.select_related("user").filter(key=key, user__is_active=True).first()
    return None if token is None else token.user


websocket_application = OriginCheck(
    AuthMiddlewareStack(TokenAuth(URLRouter([path("ws/v1/blotter/", Connection.as_asgi())])))
)
