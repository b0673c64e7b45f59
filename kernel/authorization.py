"""What a table of authorization is made of, and what asks it.

The table itself is `eqtrade.authorization`: each route, each of its methods, and who may call it.
What it does not name is refused. REST asks it in a permission class, pages in a middleware, the
websocket as it opens, the admin for each of a model's pages. What a user may do in one account is
for their entitlements, beyond it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol

from django.conf import settings
from django.utils.module_loading import import_string


class Rule(Protocol):
    """Who may. `user` may be anonymous; one who is inactive is never logged in."""

    def admits(self, user: Any) -> bool: ...


class Anyone:
    def admits(self, user: Any) -> bool:
        return True


class Nobody:
    """Not even a superuser."""

    def admits(self, user: Any) -> bool:
        return False


class LoggedIn:
    def admits(self, user: Any) -> bool:
        return bool(user.is_authenticated)


class Staff:
    def admits(self, user: Any) -> bool:
        return bool(user.is_authenticated and user.is_active and user.is_staff)


class Documentation:
    """Of the API: for everybody or for who is logged in, by the setting API_DOCS."""

    def admits(self, user: Any) -> bool:
        return settings.API_DOCS == "public" or bool(user.is_authenticated)


@dataclass(frozen=True)
class Holders:
    """Who holds one of these permissions. A superuser holds all."""

    permissions: tuple[str, ...]

    def admits(self, user: Any) -> bool:
        return bool(user.is_authenticated) and any(user.has_perm(p) for p in self.permissions)


ANYONE, LOGGED_IN, STAFF, NOBODY = Anyone(), LoggedIn(), Staff(), Nobody()
DOCUMENTATION = Documentation()


def holders(*permissions: str) -> Holders:
    return Holders(permissions)


@dataclass(frozen=True)
class Pages:
    """Of one model in the admin. Who may change or add may also see."""

    see: Rule
    add: Rule = NOBODY
    change: Rule = NOBODY
    delete: Rule = NOBODY


@dataclass(frozen=True)
class Table:
    """`routes`: by Django's own text of the route, then by method. `admin`: by the model's label.
    `sockets`: by path."""

    routes: Mapping[str, Mapping[str, Rule]]
    admin: Mapping[str, Pages]
    sockets: Mapping[str, Rule] = field(default_factory=dict)

    def rule(self, route: str, method: str) -> Rule | None:
        """None for what the table does not name. HEAD is as GET; OPTIONS tells of a route to who
        may call any of its methods."""
        row = self.row(route)
        return None if row is None else row.get("GET" if method == "HEAD" else method)

    def row(self, route: str) -> Mapping[str, Rule] | None:
        return self.routes.get(_plain(route) if "(?P" in route else route)


def _plain(route: str) -> str:
    """A route that is a regular expression, with its groups by their names alone."""
    return re.sub(r"\(\?P(<\w+>)[^)]*\)", r"\1", route)


def methods(**rules: Rule) -> Mapping[str, Rule]:
    """A row: GET=…, POST=…; who may call one of them may ask for OPTIONS."""
    return {**rules, "OPTIONS": rules.get("OPTIONS", _AnyOf(tuple(rules.values())))}


@dataclass(frozen=True)
class _AnyOf:
    rules: tuple[Rule, ...]

    def admits(self, user: Any) -> bool:
        return any(rule.admits(user) for rule in self.rules)


@lru_cache(1)
def table() -> Table:
    found: Table = import_string(settings.AUTHORIZATION)
    return found


def may_call(user: Any, route: str, method: str) -> bool:
    rule = table().rule(route, method)
    return rule is not None and rule.admits(user)


def may_open(user: Any, path: str) -> bool:
    """Whether the user may open this websocket."""
    rule = table().sockets.get(path)
    return rule is not None and rule.admits(user)
