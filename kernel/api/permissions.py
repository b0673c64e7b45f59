"""REST asks the table of authorization who may call."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from kernel.authorization import may_call, table


class ByTable(BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:
        """A method that the view has not is refused as such (405), to who may ask what it has."""
        method, route = str(request.method), _route(request)
        if table().rule(route, method) is None and not hasattr(view, method.lower()):
            method = "OPTIONS"
        return may_call(request.user, route, method)


def _route(request: Request) -> str:
    match = request.resolver_match
    return "" if match is None else match.route
