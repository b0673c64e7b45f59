"""Entitlements and too large bodies where only the whole stack shows them: over the websocket, and
through nginx."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import settings
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.stack.client import TIMEOUT, Client
from tests.stack.eventually import eventually
from tests.stack.live import PATH, Live, open_socket, subscription
from tests.stack.running import RunningStack

RIGHTS = {
    "view": {},
    "book": {"can_book": True},
    "correct": {"can_correct": True},
}
MAKE = """
from django.contrib.auth.models import User
from accounts.models import Account, Entitlement
desk = Account.objects.get(code={desk!r})
for name, rights in {rights!r}.items():
    user = User.objects.create_user(f"{desk}-{{name}}", password="a password")
    if rights is not None:
        Entitlement.objects.create(user=user, account=desk, **rights)
"""


def people(stack: RunningStack, desk: str) -> dict[str, Client]:
    rights: dict[str, Any] = {**RIGHTS, "none": None}
    stack.shell(MAKE.format(desk=desk, rights=rights))
    return {n: Client.logged_in(stack.url, f"{desk}-{n}", "a password") for n in rights}


def test_who_may_view_an_account_is_told_of_it_live_and_nobody_else(stack: RunningStack) -> None:
    desk = stack.desk()
    users = people(stack, desk)
    trade = stack.client("trader").book(desk, "IBM", "buy", 10, 100)
    for name in RIGHTS:
        with Live(stack.url, users[name].token, [desk]) as live:
            live.wait(lambda live: any(r["account"] == desk for r in live.rows("trades")))
            assert [r["id"] for r in live.rows("trades")] == [trade["id"]]
    with open_socket(stack.url, users["none"].token) as connection:
        for accounts in ([desk], ["Test1"], ["Nope"]):
            connection.send(subscription(accounts))
            refused = json.loads(connection.recv(timeout=30))
            assert (refused["type"], refused["code"]) == ("error", "not_entitled")
        connection.send(subscription([]))
        nothing = json.loads(connection.recv(timeout=60))
        assert nothing["type"] == "snapshot"
        assert nothing["trades"] == nothing["positions"] == nothing["totals"] == []


def test_a_correction_over_rest_arrives_live_in_both_accounts(stack: RunningStack) -> None:
    """Amended, moved and cancelled: the page of each account follows."""
    left, entered = stack.desk(), stack.desk()
    trader = stack.client("trader")
    trade = trader.book(left, "IBM", "buy", 10, 100)
    path = f"{stack.url}/api/v1/trades/{trade['id']}/"
    with stack.live("trader", [left]) as here, stack.live("trader", [entered]) as there:

        def quantities(live: Live) -> set[str]:
            return {row["quantity"] for row in live.rows("positions")}

        here.wait(lambda live: quantities(live) == {"10"})
        change = {"version": 1, "reason": "typo", "quantity": "7"}
        assert trader.session.patch(path, json=change, timeout=TIMEOUT).status_code == 200
        here.wait(lambda live: quantities(live) == {"7"})
        move = {"version": 2, "reason": "wrong book", "account": entered}
        assert trader.session.patch(path, json=move, timeout=TIMEOUT).status_code == 200
        there.wait(lambda live: quantities(live) == {"7"})
        here.wait(lambda live: not live.rows("trades") and not live.rows("positions"))
        assert (
            trader.post(f"trades/{trade['id']}/cancel/", version=3, reason="x").status_code == 200
        )
        there.wait(lambda live: [r["status"] for r in live.rows("trades")] == ["cancelled"])
        there.wait(lambda live: not live.rows("positions"))


LOGGED_IN = """
from django.contrib.auth.models import User
from django.test import Client
user = User.objects.create_user({name!r}, password="a password")
client = Client()
client.force_login(user)
print(client.session.session_key, file=open({path!r}, "w"))
"""
LOG_OUT = """
from django.contrib.sessions.models import Session
from accounts.browser_sessions import stored_key
Session.objects.filter(session_key=stored_key({key!r})).delete()
"""


def listen_on(connection: ClientConnection) -> None:
    while True:
        connection.recv(timeout=60)


def test_a_log_out_ends_the_live_connection(stack: RunningStack, tmp_path: Path) -> None:
    """Another tab than the one that logged out must not go on as if nothing had happened."""
    written = tmp_path / "key"
    stack.shell(LOGGED_IN.format(name=f"{stack.desk()}-tab", path=str(written)))
    key = written.read_text().strip()
    cookie = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={key}"}
    address = stack.url.replace("http", "ws", 1) + PATH
    with connect(address, additional_headers=cookie, max_size=None) as connection:
        connection.send(subscription([]))
        assert json.loads(connection.recv(timeout=60))["type"] == "snapshot"
        stack.shell(LOG_OUT.format(key=key))
        with pytest.raises(ConnectionClosed) as closed:
            listen_on(connection)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401


def megabytes(count: int) -> Iterator[bytes]:
    yield b'{"reason": "'
    for _ in range(count):
        yield b"x" * 1024 * 1024
    yield b'"}'


@pytest.mark.parametrize("size", [11, 100])
@pytest.mark.parametrize("chunked", [False, True], ids=["with its length", "chunked"])
@pytest.mark.parametrize("path", ["trades/", "token/"])
def test_a_body_that_is_too_large_gets_413_in_the_apis_form(
    stack: RunningStack, path: str, size: int, chunked: bool
) -> None:
    headers = {
        "Authorization": f"Token {stack.client('trader').token}",
        "Content-Type": "application/json",
    }
    body = megabytes(size) if chunked else b"".join(megabytes(size))
    answer = requests.post(
        f"{stack.url}/api/v1/{path}", data=body, headers=headers, timeout=TIMEOUT
    )
    assert answer.status_code == 413
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.json()["type"] == "client_error"
    assert [e["code"] for e in answer.json()["errors"]] == ["payload_too_large"]
    eventually(lambda: stack.client("trader").rows("accounts/"))
