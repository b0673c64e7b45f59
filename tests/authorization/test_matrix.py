"""Every route is called with every method as every user, and the answer is what people decided."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import override_settings

from blotter.live.logins import ADDRESS, Login, users_of
from eqtrade.oidc_provider import oidc_providers
from kernel.api.permissions import ByTable
from kernel.authorization import table
from kernel.clock import clock_set
from kernel.database import lift_timeouts
from tests.authorization.calling import Desk
from tests.authorization.tables import (
    METHODS,
    OF_A_MODEL,
    USERS,
    Calls,
    admin_table,
    routes,
    routes_table,
)
from tests.trades.conftest import NOW

WRITTEN: Calls = {**routes_table(), **admin_table()}
# Websockets are opened, not called.
SOCKETS = {route: row for (route, method), row in WRITTEN.items() if method == "OPEN"}
EXPECTED: Calls = {key: row for key, row in WRITTEN.items() if key[1] != "OPEN"}
PERMISSIONS = sorted({p for row in EXPECTED.values() for p in row.permissions})
# What is off unless it is set: the second factor, and a login provider, which does not answer.
NO_PROVIDER = "http://127.0.0.1:9"
ALL_ON = {
    "SECOND_FACTOR": "offered",
    "OIDC_ISSUER": NO_PROVIDER,
    "SOCIALACCOUNT_PROVIDERS": oidc_providers(NO_PROVIDER, "eqtrade", "secret", "a provider"),
}
OF_WHAT_IS_OFF = re.compile(r"(reauthenticate|second-factor|oidc)/.*")
REFUSED = ("401", "403", "404", "405", "login")


@pytest.fixture
def desk(db: None) -> Iterator[Desk]:
    with connection.cursor() as cursor:
        # Thousands of calls are one transaction.
        lift_timeouts(cursor)
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    with clock_set(NOW), override_settings(**ALL_ON):
        yield Desk()


def surprises(desk: Desk, user: str) -> tuple[int, list[str]]:
    """How many calls were made, and those that were answered otherwise than is written."""
    client, calls, found = desk.client(user), 0, []
    for route, _ in routes():
        for method in METHODS:
            row = EXPECTED.get((route, method))
            said = desk.answer(client, route, method)
            calls += 1
            if method == "OPTIONS":
                right = not said.startswith("5")
            else:
                right = said in REFUSED if row is None else said == row.answers[user]
            if not right:
                wanted = "a refusal" if row is None else row.answers[user]
                found.append(f"{method} {route} as {user}: {said}, not {wanted}")
    return calls, found


def test_every_route_is_in_the_table_and_no_other() -> None:
    served = {route for route, _ in routes()}
    written = {route for route, _ in EXPECTED}
    assert sorted(served - written) == [], "unclassified"
    assert sorted(written - served) == [], "no longer served"


def test_rest_asks_the_table_and_nothing_else() -> None:
    for route, view in routes():
        of: Any = getattr(view, "cls", None)
        if of is None:
            assert not route.startswith("api/"), route
        else:
            assert list(of.permission_classes) == [ByTable], route


def test_every_permission_that_is_named_exists(db: None) -> None:
    there = {
        f"{app}.{name}"
        for app, name in Permission.objects.values_list("content_type__app_label", "codename")
    }
    assert [p for p in PERMISSIONS if p not in there] == []


@pytest.mark.parametrize("user", USERS)
def test_each_user_may_what_is_written(desk: Desk, user: str) -> None:
    calls, found = surprises(desk, user)
    print(f"{user}: {calls} calls, {len(found)} surprises")
    assert not found, "\n".join(found)


def test_each_permission_gives_what_is_written(desk: Desk) -> None:
    wrong = []
    for permission in PERMISSIONS:
        client = desk.client(desk.staff_with(permission))
        named = [key for key, row in EXPECTED.items() if permission in row.permissions]
        # What the superuser is told: ok, or that the thing itself cannot be done.
        wrong += [
            (permission, *key)
            for key in named
            if desk.answer(client, *key) != EXPECTED[key].answers["root"]
        ]
    assert wrong == []


def test_no_other_permission_gives_it(desk: Desk) -> None:
    """Whoever holds all permissions but those that a row names is answered as without any."""
    sets = {row.permissions for row in EXPECTED.values()}
    calls, found = 0, []
    for number, needed in enumerate(sorted(sets, key=sorted)):
        client = desk.client(desk.staff_with(*(p for p in PERMISSIONS if p not in needed)))
        for key, row in EXPECTED.items():
            if row.permissions == needed and row.answers["staff"] != "ok":
                calls += 1
                if (said := desk.answer(client, *key)) != row.answers["staff"]:
                    found.append(f"{key} without {sorted(needed)} ({number}): {said}")
    print(f"{calls} rows × all other permissions, {len(found)} surprises")
    assert not found, "\n".join(found)


def test_each_websocket_opens_for_whom_it_is_written(desk: Desk) -> None:
    assert set(SOCKETS) == set(table().sockets) == {ADDRESS}
    for user in USERS:
        session = desk.client(user).session.session_key or ""
        login = Login(session=session)
        opens = login in users_of([login], NOW)
        assert opens is (SOCKETS[ADDRESS].answers[user] == "ok"), user


def test_what_the_table_does_not_name_is_refused(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A route that somebody forgot: to the superuser, too."""
    from kernel import authorization

    bare = authorization.Table(routes={}, admin={}, sockets={})
    monkeypatch.setattr(authorization.table, "cache_clear", authorization.table.cache_clear)
    authorization.table.cache_clear()
    monkeypatch.setattr(authorization, "import_string", lambda _: bare)
    try:
        for route in ("api/v1/trades/", "admin/prices/quote/", "admin/", "", "healthz"):
            assert desk.answer(desk.client("root"), route, "GET") == "403", route
    finally:
        authorization.table.cache_clear()


def test_what_is_off_is_not_there(desk: Desk) -> None:
    off = {"SECOND_FACTOR": "off", "OIDC_ISSUER": ""}
    with override_settings(**off):
        calls = [key for key in EXPECTED if OF_WHAT_IS_OFF.fullmatch(key[0])]
        assert len(calls) == 16
        for route, method in calls:
            assert desk.answer(desk.client("root"), route, method) == "404", (route, method)


def test_the_documentation_follows_its_setting(desk: Desk) -> None:
    assert settings.API_DOCS == "public"
    with override_settings(API_DOCS="login"):
        for route in ("api/v1/schema/", "api/v1/docs/"):
            assert desk.answer(desk.client("nobody"), route, "GET") == "401", route
            assert desk.answer(desk.client("viewer"), route, "GET") == "ok", route


def test_the_count(capsys: pytest.CaptureFixture[str]) -> None:
    served = [route for route, _ in routes()]
    of_models = [route for route in served if OF_A_MODEL.fullmatch(route)]
    first = len(served) * len(METHODS) * len(USERS)
    more = len(EXPECTED) * len(PERMISSIONS)
    with capsys.disabled():
        print(
            f"\n{len(served)} routes ({len(of_models)} of models in the admin) × {len(METHODS)}"
            f" methods × {len(USERS)} users = {first}; {len(EXPECTED)} rows ×"
            f" {len(PERMISSIONS)} permissions = {more}; unclassified:"
            f" {len({*served} - {route for route, _ in EXPECTED})}"
        )
