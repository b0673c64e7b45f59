"""Every door that asks for a password, tried with wrong ones; nothing of it needs Redis."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from axes.models import AccessFailureLog, AccessLog
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

from accounts import hashing
from accounts.attempts import attempts_tidy
from audit.models import Record, Refusal
from eqtrade.up.postgres import PostgresServer
from kernel.clock import clock_set
from tests import factories as make
from tests.at_once import at_once

NOW = datetime(2026, 3, 18, 13, 30, tzinfo=UTC)
HERE, ELSEWHERE = "192.0.2.1", "198.51.100.9"
WRONG = "not it"

Door = Callable[..., Any]


def token(name: str, password: str, address: str = HERE) -> Any:
    given = {"username": name, "password": password}
    return APIClient(REMOTE_ADDR=address).post("/api/v1/token/", given, format="json")


def login(name: str, password: str, address: str = HERE) -> Any:
    return Client(REMOTE_ADDR=address).post("/login/", {"username": name, "password": password})


def admin(name: str, password: str, address: str = HERE) -> Any:
    given = {"username": name, "password": password}
    return Client(REMOTE_ADDR=address).post("/admin/login/?next=/admin/", given)


DOORS = {"token": token, "login": login, "admin": admin}


@pytest.fixture(autouse=True)
def people(committed_db: PostgresServer) -> Iterator[None]:
    for name in ("trader", "boss"):
        make.make_user(name, is_staff=True, is_superuser=name == "boss")
    with clock_set(NOW):
        yield


def let_in(answer: Any) -> bool:
    return bool(
        answer.status_code in (200, 302) and (answer.status_code == 302 or "token" in answer.json())
    )


# --- the numbers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_the_sixth_wrong_password_and_all_after_it_are_refused(door: Door) -> None:
    assert [door("trader", WRONG).status_code for _ in range(5)] == [
        400 if door is token else 200
    ] * 5
    for password in (WRONG, "demo", WRONG):
        answer = door("trader", password)
        assert answer.status_code == 429
        assert 0 < int(answer["Retry-After"]) <= 900
        assert answer["Cache-Control"] == "no-store"
    # The other doors are shut with it; other names and other addresses are not.
    assert {d("trader", "demo").status_code for d in DOORS.values()} == {429}
    assert let_in(door("boss", "demo"))
    assert let_in(door("trader", "demo", ELSEWHERE))
    with clock_set(NOW + timedelta(minutes=15)):
        assert let_in(door("trader", "demo"))


def test_the_refusal_has_the_apis_own_form() -> None:
    for _ in range(5):
        token("trader", WRONG)
    answer = token("trader", "demo")
    assert answer["Content-Type"].startswith("application/json")
    (error,) = answer.json()["errors"]
    assert answer.json()["type"] == "client_error"
    assert (error["code"], error["attr"]) == ("too_many_wrong_passwords", None)
    page = login("trader", "demo")
    assert page["Content-Type"].startswith("text/html")
    assert "Too many wrong passwords" in page.content.decode()


def test_the_window_slides() -> None:
    for minute in range(5):
        with clock_set(NOW + timedelta(minutes=minute)):
            assert token("trader", WRONG).status_code == 400
    with clock_set(NOW + timedelta(minutes=14)):
        assert token("trader", WRONG)["Retry-After"] == "60"
    with clock_set(NOW + timedelta(minutes=15)):
        assert token("trader", WRONG).status_code == 400
        assert token("trader", WRONG).status_code == 429


def test_a_name_attacked_from_everywhere_still_logs_in_from_where_it_did() -> None:
    with clock_set(NOW - timedelta(days=29)):
        assert let_in(token("trader", "demo", HERE))
    with clock_set(NOW - timedelta(days=31)):
        assert let_in(token("trader", "demo", "192.0.2.99"))
    session = Client()
    session.force_login(User.objects.get(username="trader"))
    attackers = [f"198.51.100.{n}" for n in range(6)]
    assert {token("trader", WRONG, a).status_code for a in attackers for _ in range(5)} == {400}
    # The thirty are used up, for all addresses but the known one.
    assert token("trader", "demo", "203.0.113.5").status_code == 429
    assert token("trader", "demo", "192.0.2.99").status_code == 429
    assert let_in(token("trader", "demo", HERE))
    assert let_in(login("trader", "demo", HERE))
    assert session.get("/api/v1/accounts/").status_code == 200


def test_an_address_has_a_hundred_for_all_names() -> None:
    assert {token(f"nobody{n}", WRONG).status_code for n in range(100)} == {400}
    assert token("trader", "demo").status_code == 429
    assert let_in(token("trader", "demo", ELSEWHERE))


def test_sessions_and_tokens_that_exist_go_on() -> None:
    held = Client(REMOTE_ADDR=HERE)
    held.force_login(User.objects.get(username="trader"))
    program = APIClient(REMOTE_ADDR=HERE)
    program.credentials(HTTP_AUTHORIZATION=f"Token {token('trader', 'demo').json()['token']}")
    for _ in range(7):
        token("trader", WRONG)
    assert held.get("/api/v1/accounts/").status_code == 200
    assert program.get("/api/v1/accounts/").status_code == 200


def test_unlock() -> None:
    for _ in range(6):
        token("trader", WRONG)
    said = StringIO()
    call_command("unlock", "trader", stdout=said)
    assert "5 wrong passwords" in said.getvalue()
    unlocked = Record.objects.get(event="login.unlocked")
    assert (unlocked.object_name, unlocked.after) == ("trader", {"forgotten": 5})
    assert let_in(token("trader", "demo"))


def test_the_record_has_each_wrong_password_and_the_number_of_refusals() -> None:
    for _ in range(8):
        token("trader", WRONG)
    token("typed in the wrong field", WRONG)
    failures = Record.objects.filter(event="login.failed").order_by("id")
    assert [f.object_name for f in failures[:5]] == ["trader"] * 5
    assert failures[5].object_name.startswith("unknown:")
    assert (failures[0].address, failures[0].after) == (HERE, {"door": "token"})
    (refusal,) = Refusal.objects.all()
    assert (refusal.name, refusal.count) == ("trader", 3)


# --- whom to believe -----------------------------------------------------------------------------


def test_an_address_is_believed_of_trusted_peers_only(settings: Any) -> None:
    def tries(peer: str, count: int) -> list[int]:
        found = []
        for n in range(count):
            client = APIClient(REMOTE_ADDR=peer, HTTP_X_REAL_IP=f"203.0.113.{n}",
                               HTTP_X_FORWARDED_FOR=f"203.0.113.{n}")  # fmt: skip
            given = {"username": "trader", "password": WRONG}
            found.append(client.post("/api/v1/token/", given, format="json").status_code)
        return found

    settings.TRUSTED_PEERS = ["10.0.0.0/8"]
    # Somebody who writes the header gets no further by it.
    assert tries(ELSEWHERE, 6)[-1] == 429
    assert set(tries("10.1.2.3", 10)) == {400}
    assert AccessFailureLog.objects.filter(ip_address="203.0.113.9").count() == 1


@pytest.mark.parametrize(
    ("peer", "said", "address"),
    [
        ("unix:", "192.0.2.7", "192.0.2.7"),
        ("", "192.0.2.7", "192.0.2.7"),
        ("10.9.9.9", "192.0.2.7", "192.0.2.7"),
        ("::ffff:10.9.9.9", "192.0.2.7", "192.0.2.7"),
        ("192.0.2.1", "192.0.2.7", "192.0.2.1"),
        ("10.9.9.9", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("10.9.9.9", "x" * 100_000, "::"),
        ("10.9.9.9", "", "10.9.9.9"),
        ("", "", "::"),
    ],
)
def test_addresses(settings: Any, peer: str, said: str, address: str) -> None:
    from django.test import RequestFactory

    from accounts.addresses import counted_address

    settings.TRUSTED_PEERS = ["10.0.0.0/8"]
    asked = RequestFactory().get("/", REMOTE_ADDR=peer, HTTP_X_REAL_IP=said)
    assert counted_address(asked) == address


# --- what it costs -------------------------------------------------------------------------------


class Slow(MD5PasswordHasher):
    """Counts how many are at it at once."""

    algorithm = "md5"
    lock = threading.Lock()
    now = most = total = 0

    def encode(self, password: str, salt: str) -> str:
        with self.lock:
            Slow.now += 1
            Slow.total += 1
            Slow.most = max(Slow.most, Slow.now)
        time.sleep(0.02)
        with self.lock:
            Slow.now -= 1
        return super().encode(password, salt)


@pytest.fixture
def slow(settings: Any) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.Slow"]
    Slow.now = Slow.most = Slow.total = 0


def test_many_at_once_try_no_more_than_may(slow: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.backends.slots", hashing.Slots(16, 16, seconds=30))
    answers = at_once(*[lambda: token("trader", WRONG).status_code for _ in range(16)])
    assert Counter(answers) == {400: 5, 429: 11}
    assert Slow.total == 5


def test_few_passwords_are_hashed_at_a_time_and_others_are_answered(
    slow: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sixteen loops of wrong passwords, as many names: what another user asks does not wait for a
    slot, whatever they do."""
    monkeypatch.setattr("accounts.backends.slots", hashing.Slots(2, 3, seconds=5))
    other = make.client_of(User.objects.get(username="boss"))
    stop = threading.Event()
    seen: Counter[int] = Counter()

    def loop(number: int) -> None:
        n = 0
        while not stop.is_set():
            n += 1
            seen[token(f"{number} {n}", WRONG, f"198.51.{number}.{n % 200}").status_code] += 1
        connection.close()

    threads = [threading.Thread(target=loop, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    took = []
    try:
        for _ in range(100):
            started = time.perf_counter()
            assert other.get("/api/v1/accounts/").status_code == 200
            took.append(time.perf_counter() - started)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    took.sort()
    middle, late = took[50] * 1000, took[95] * 1000
    print(f"GET accounts/ beside 16 loops: median {middle:.0f} ms, p95 {late:.0f} ms")
    assert Slow.most <= 2
    assert seen[400] > 0
    assert seen[429] > 0
    assert set(seen) == {400, 429}


def test_who_was_told_to_come_again_has_tried_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    full = hashing.Slots(1, 0, seconds=5)
    monkeypatch.setattr("accounts.backends.slots", full)
    with full.one():
        answer = token("trader", "demo")
        assert answer.status_code == 429
        assert answer.json()["errors"][0]["code"] == "too_many_logins"
    assert AccessFailureLog.objects.count() == 0
    assert let_in(token("trader", "demo"))


def test_a_name_or_password_that_nobody_can_have_costs_nothing(slow: None) -> None:
    long = "x" * 9_900_000
    for given in ({"username": long, "password": "x"}, {"username": "trader", "password": long}):
        for path in ("/api/v1/token/", "/login/", "/admin/login/"):
            answer: Any = APIClient().post(path, given, format="json")
            assert answer.status_code == 413, path
    assert authenticate(None, username="trader", password="x" * 4097) is None
    assert authenticate(None, username="x" * 151, password="x") is None
    assert Slow.total == 0


def test_what_is_kept_names_nobody_and_goes_after_a_while() -> None:
    token("trader", "demo")
    token("my secret typed in the wrong field", WRONG)
    kept = [*AccessFailureLog.objects.all(), *AccessLog.objects.all()]
    assert len(kept) == 2
    assert all(len(row.username) == 64 for row in kept)
    assert "secret" not in repr([vars(row) for row in kept])
    assert attempts_tidy(now=NOW + timedelta(hours=25)) == 1
    assert attempts_tidy(now=NOW + timedelta(days=29)) == 0
    assert attempts_tidy(now=NOW + timedelta(days=31)) == 1
