"""The two tables that people wrote, read; and the routes that there are, from the URL configuration
alone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.urls import get_resolver

HERE = Path(__file__).parent
USERS = ("nobody", "viewer", "booker", "corrector", "staff", "root")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
OF_A_MODEL = re.compile(r"admin/(\w+)/(\w+)/(|add/|<path:object_id>/(?:|change/|delete/|history/))")


@dataclass(frozen=True)
class Row:
    """`answers` by user. Staff who hold one of `permissions` are answered `ok` instead."""

    answers: dict[str, str]
    permissions: frozenset[str] = frozenset()


Calls = dict[tuple[str, str], Row]


def routes_table() -> Calls:
    """By route and method."""
    found: Calls = {}
    for method, route, *cells in _lines("routes.txt"):
        answers, more = dict(zip(USERS, cells[:6], strict=True)), cells[6:]
        key = ("" if route == "/" else route, method)
        assert key not in found, f"{key} stands there twice"
        found[key] = Row(answers, frozenset(more[0].split() if more else ()))
    return found


def admin_table() -> Calls:
    """The admin's rows as calls of the pages that Django gives a model."""
    found: Calls = {}
    for model, *cells in _lines("admin.txt"):
        app, name = model.split(".")
        see, add, change, delete = (_permissions(app, cell) for cell in cells)
        area = f"admin/{app}/{name}/"
        one = f"{area}<path:object_id>/"
        for route, method, needed in (
            (area, "GET", see), (area, "POST", see),
            (f"{area}add/", "GET", add), (f"{area}add/", "POST", add),
            (f"{one}change/", "GET", see | change), (f"{one}change/", "POST", change),
            (f"{one}delete/", "GET", delete), (f"{one}delete/", "POST", delete),
            (f"{one}history/", "GET", see), (f"{one}history/", "POST", see),
        ):  # fmt: skip
            found[route, method] = _for_staff(needed)
        # Sends on to the page of the row, and tells nothing of it.
        found[one, "GET"] = found[one, "POST"] = _for_staff(None)
    return found


def routes() -> Iterator[tuple[str, Any]]:
    """Every route that is served, as Django writes it, and its view."""
    yield from _walk(get_resolver().url_patterns, "")


def plain(route: str) -> str:
    """A regular expression as the tables write it: groups by their names alone."""
    return re.sub(r"\(\?P(<\w+>)[^)]*\)", r"\1", route)


def _walk(patterns: Any, before: str) -> Iterator[tuple[str, Any]]:
    for each in patterns:
        # As Django joins them.
        route = before + str(each.pattern).removeprefix("^" if before else "")
        if hasattr(each, "url_patterns"):
            yield from _walk(each.url_patterns, route)
        else:
            yield plain(route), each.callback


def _lines(name: str) -> Iterator[list[str]]:
    lines = (line.strip() for line in (HERE / name).read_text().splitlines())
    told = [re.split(r" {2,}", line) for line in lines if line and not line.startswith("#")]
    yield from told[1:]


def _permissions(app: str, cell: str) -> frozenset[str]:
    if cell == "-":
        return frozenset()
    return frozenset(p if "." in p else f"{app}.{p}" for p in cell.split())


def _for_staff(needed: frozenset[str] | None) -> Row:
    """`None`: for all staff; empty: for nobody."""
    answers = dict.fromkeys(USERS, "login")
    answers["staff"] = "ok" if needed is None else "403"
    answers["root"] = "403" if needed == frozenset() else "ok"
    return Row(answers, needed or frozenset())
