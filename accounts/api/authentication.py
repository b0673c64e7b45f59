"""Login by a token, in one prepared statement."""

from typing import Any

from django.contrib.auth.models import User
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.callers import caller_by_token
from kernel.repeating import repeated


class TokenAuthentication(authentication.TokenAuthentication):
    """`Authorization: Token …`, as REST framework has it, without its two queries. A view with a
    method `caller_by_token` finds its caller itself, together with whatever else it needs."""

    def authenticate(self, request: Request) -> tuple[User, Any] | None:
        view = (request.parser_context or {}).get("view")
        self.find = getattr(view, "caller_by_token", caller_by_token)
        found: tuple[User, Any] | None = super().authenticate(request)
        return found

    def authenticate_credentials(self, key: str) -> tuple[User, Any]:
        user: User | None = repeated(lambda: self.find(key))
        if user is None:
            raise AuthenticationFailed("Invalid token.")
        if not user.is_active:
            raise AuthenticationFailed("User inactive or deleted.")
        return user, key
