"""Login by a token, in one prepared statement."""

from typing import Any

from django.contrib.auth.models import User
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from accounts.callers import Caller, Credential, caller_by_token
from accounts.counted import TOKEN_CALLS
from accounts.second_factor import SecondFactorMissing, is_missing
from accounts.token_use import token_used
from kernel import clock
from kernel.repeating import repeated


class InsufficientScope(PermissionDenied):
    default_code = "insufficient_scope"
    default_detail = "This token may only read."


class TokenAuthentication(authentication.TokenAuthentication):
    """`Authorization: Token …`, as REST framework has it, without its two queries. A view with a
    method `caller_by_token` finds its caller itself, together with whatever else it needs.

    A token that may only read is refused here what changes anything, whatever the view permits;
    the view's `read_token_methods` are what it decides itself."""

    def authenticate(self, request: Request) -> tuple[User, Credential] | None:
        view = (request.parser_context or {}).get("view")
        self.find = getattr(view, "caller_by_token", caller_by_token)
        found: tuple[User, Credential] | None = super().authenticate(request)
        if found is not None and found[1].only_reads:
            method = request.method or ""
            if method not in SAFE_METHODS and method not in getattr(view, "read_token_methods", ()):
                TOKEN_CALLS.add(outcome="scope")
                raise InsufficientScope
        if found is not None:
            TOKEN_CALLS.add(outcome="let_in")
        return found

    def authenticate_credentials(self, key: str) -> tuple[User, Any]:
        caller: Caller | None = repeated(lambda: self.find(key))
        if caller is None or caller.credential is None:
            TOKEN_CALLS.add(outcome="unknown")
            raise AuthenticationFailed("Invalid token.")
        if not caller.user.is_active:
            TOKEN_CALLS.add(outcome="inactive")
            raise AuthenticationFailed("User inactive or deleted.")
        if is_missing(caller.user):
            TOKEN_CALLS.add(outcome="second_factor")
            raise SecondFactorMissing
        token_used(caller.credential, clock.now())
        return caller
