"""What ends a login ends it everywhere within moments, and what the stack keeps lets nobody in."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import pytest
import requests
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from eqtrade.database_roles import DATABASE, OWNER
from eqtrade.up.accounts import server_account
from eqtrade.up.binaries import postgres_bin
from eqtrade.up.runtime import load_secrets
from tests.stack.client import TIMEOUT, Client
from tests.stack.eventually import eventually
from tests.stack.live import PATH, open_socket, subscription
from tests.stack.running import RunningStack

SECRET = "a password of many words"
MAKE = """
from django.contrib.auth.models import User
from accounts.models import Account, Entitlement
user = User.objects.create_user({name!r}, password={password!r})
Entitlement.objects.create(user=user, account=Account.objects.get(code={desk!r}), can_book=True)
"""
CHANGE = """
from django.contrib.auth.models import User
user = User.objects.get(username={name!r})
{change}
user.save()
"""


def log_in(stack: RunningStack, name: str) -> requests.Session:
    """Through the page, as a browser does."""
    session = requests.Session()
    session.get(f"{stack.url}/login/", timeout=TIMEOUT)
    csrf = next(c.value for c in session.cookies if c.name.startswith("csrftoken"))
    sent = {"username": name, "password": SECRET, "csrfmiddlewaretoken": csrf}
    answer = session.post(f"{stack.url}/login/", data=sent, timeout=TIMEOUT, allow_redirects=False)
    assert answer.status_code == 302, answer.text
    return session


@contextmanager
def watching(
    stack: RunningStack, session: requests.Session, desk: str
) -> Iterator[ClientConnection]:
    cookies = "; ".join(f"{c.name}={c.value}" for c in session.cookies)
    url = stack.url.replace("http://", "ws://") + PATH
    with connect(url, additional_headers={"Cookie": cookies}) as connection:
        connection.send(subscription([desk]))
        assert '"snapshot"' in str(connection.recv(timeout=60))
        yield connection


def seconds_until_closed(connection: ClientConnection, since: float) -> float:
    with pytest.raises(ConnectionClosed) as closed:
        read_on(connection)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401
    return time.monotonic() - since


def read_on(connection: ClientConnection) -> None:
    while True:
        connection.recv(timeout=60)


Change = Callable[[RunningStack, str, Client], None]


def shell(change: str) -> Change:
    def run(stack: RunningStack, name: str, _: Client) -> None:
        stack.shell(CHANGE.format(name=name, change=change))

    return run


def revoke(stack: RunningStack, name: str, client: Client) -> None:
    (token,) = client.rows("tokens/")
    answer = client.session.delete(f"{stack.url}/api/v1/tokens/{token['id']}/", timeout=TIMEOUT)
    assert answer.status_code == 204


@pytest.mark.parametrize(
    ("change", "ends_session"),
    [
        (shell("user.set_password('another of many words')"), True),
        (shell("user.is_active = False"), True),
        (revoke, False),
    ],
    ids=["password", "deactivated", "revoked"],
)
def test_rest_and_websocket_end(stack: RunningStack, change: Change, *, ends_session: bool) -> None:
    desk = stack.desk()
    name = f"user-{desk}"
    stack.shell(MAKE.format(name=name, password=SECRET, desk=desk))
    program, session = Client.logged_in(stack.url, name, SECRET), log_in(stack, name)
    page = f"{stack.url}/api/v1/accounts/"
    with open_socket(stack.url, program.token) as by_token, watching(stack, session, desk) as here:
        by_token.send(subscription([desk]))
        assert '"snapshot"' in str(by_token.recv(timeout=60))
        assert program.get("accounts/").status_code == 200
        assert session.get(page, timeout=TIMEOUT).status_code == 200
        change(stack, name, program)
        since = time.monotonic()
        assert program.get("accounts/").status_code == 401
        took = [seconds_until_closed(by_token, since)]
        if ends_session:
            assert session.get(page, timeout=TIMEOUT).status_code == 401
            took.append(seconds_until_closed(here, since))
        else:
            assert session.get(page, timeout=TIMEOUT).status_code == 200
    print(f"websockets ended after {', '.join(f'{t:.1f}' for t in took)} s")


def test_what_is_kept_lets_nobody_in(stack: RunningStack, tmp_path: Path) -> None:
    """Keys are looked for in every file of the stack, the database's and the logs among them, and
    in a dump. What is no secret is found there, by the same search."""
    desk = stack.desk()
    name = f"user-{desk}"
    stack.shell(MAKE.format(name=name, password=SECRET, desk=desk))
    program, session = Client.logged_in(stack.url, name, SECRET), log_in(stack, name)
    trade = program.book(desk, "IBM", "buy", 1, 100)
    with watching(stack, session, desk), open_socket(stack.url, program.token) as connection:
        connection.send(subscription([desk]))
        assert '"snapshot"' in str(connection.recv(timeout=60))
    # What is refused is logged the most.
    program.session.post(f"{stack.url}/api/v1/trades/", data=b"{", timeout=TIMEOUT)
    program.get(f"trades/{trade['id']}/nothing/")
    keys = [program.token, session.cookies["sessionid"]]
    hidden = [form for key in keys for form in (key.encode(), key.encode().hex().encode())]

    dumped = dump(stack, tmp_path / "dump.sql")
    assert name.encode() in dumped
    assert not [form for form in hidden if form in dumped]

    def logged() -> None:
        # nginx's log is written now and then.
        assert any(trade["id"].encode() in read(log) for log in stack.layout.logs.iterdir())

    eventually(logged)
    places = [stack.data_dir, stack.layout.postgres(server_account())]
    files = [file for place in places for file in place.rglob("*") if file.is_file()]
    contents = [read(file) for file in files]
    assert any(name.encode() in held for held in contents)
    found = [
        (f, form)
        for f, held in zip(files, contents, strict=True)
        for form in hidden
        if form in held
    ]
    assert found == []


def read(file: Path) -> bytes:
    """What is in it; nothing when it is gone meanwhile."""
    with suppress(FileNotFoundError):
        return file.read_bytes()
    return b""


def dump(stack: RunningStack, file: Path) -> bytes:
    """All of the database, as a backup has it."""
    owner = quote(load_secrets(stack.layout)["owner"], safe="")
    host = quote(str(stack.layout.postgres_sockets), safe="")
    url = f"postgres://{OWNER}:{owner}@/{DATABASE}?host={host}"
    pg_dump = postgres_bin(server_account()) / "pg_dump"
    subprocess.run([pg_dump, "--file", file, url], check=True, capture_output=True)
    return file.read_bytes()
