"""An account with a year behind it and one with every name, the same in every stack."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

import exchange_calendars
import requests

from benchmarks.designs import PREVIOUS, SESSION
from benchmarks.rig.files import import_rows
from benchmarks.rig.stacks import Stack
from tests.stack.running import PASSWORD

TEN, FULL = "Ten", "Full"
"""The account's codes: 10 names traded all through a year; 500 names bought today."""
NAMES, ALL_NAMES = 10, 500
YEAR = 252
"""Sessions."""
A_TRADE_EACH = 5
"""Sessions between two trades of a name."""
PATIENCE = 300.0

MAKE_ACCOUNTS = f"""
from django.contrib.auth.models import User
from accounts.models import Account, Entitlement
user = User.objects.create_user("reader", password={PASSWORD!r})
for code in {(TEN, FULL)}:
    account = Account.objects.create(code=code)
    Entitlement.objects.create(user=user, account=account, can_view=True, can_book=True)
"""
# The source's own closes of the last sessions stay.
_CLOSES = """
    INSERT INTO prices_close (instrument_id, session, source, close)
    SELECT i.id, d, 'simulated', 40 + mod(i.id, 200) + mod(i.id * (d - date '2020-01-01'), 17)
      FROM prices_instrument i, unnest(%s::date[]) d
     WHERE NOT EXISTS (SELECT FROM prices_close c WHERE c.instrument_id = i.id AND c.session = d)
"""
# As if they had been booked then: else all of them would be late trades of today.
_RECORDED_THEN = """
    UPDATE {table} SET recorded_at = t.executed_at FROM trades_trade t
      JOIN accounts_account a ON a.id = t.account_id
     WHERE t.id = {table}.trade_id AND a.code = %s
"""
_KEPT = "SELECT count(*) FROM pnl_sessionrun WHERE calculated_at IS NOT NULL AND session = ANY(%s)"
_SHARDS = 16


@dataclass(frozen=True)
class Ground:
    """A stack with its accounts filled; `days` are the past year's sessions, `session` is the
    business date."""

    stack: Stack
    token: str
    session: date
    days: list[date]

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Token {self.token}"}

    @property
    def environment(self) -> dict[str, str]:
        """What benchmarks.designs needs to know."""
        return {SESSION: str(self.session), PREVIOUS: str(self.days[-1])}

    def get(self, port: int, path: str) -> Any:
        """The answer to one request."""
        answer = requests.get(f"http://127.0.0.1:{port}{path}", headers=self.headers, timeout=60)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:2000]}"
        return answer.json()


def prepare(stack: Stack) -> Ground:
    """Closes of a year by hand; trades by the import; P&L of past sessions as beat has it kept."""
    stack.manage("shell", "-c", MAKE_ACCOUNTS)
    token = stack.client("reader").token
    session = date.fromisoformat(stack.client("ops").get("system/").json()["business_date"])
    calendar = exchange_calendars.get_calendar("XNYS", start=str(session - timedelta(days=500)))
    before = [each.date() for each in calendar.sessions if each.date() < session]
    days = cast(list[date], before[-YEAR:])
    with stack.superuser() as root:
        root.execute(_CLOSES.encode(), [before[-YEAR - 1 :]])
        tickers = [
            str(row[0])
            for row in root.execute(
                "SELECT ticker FROM prices_instrument WHERE is_active ORDER BY id LIMIT %s",
                [ALL_NAMES],
            )
        ]
    columns = ("account", "ticker", "side", "quantity", "price", "executed_at")
    import_rows(stack, token, columns, _trades(tickers[:NAMES], days))
    import_rows(stack, token, columns[:5], ((FULL, each, "buy", 100, 100) for each in tickers))
    stack.drained()
    with stack.superuser() as root:
        root.execute("SET session_replication_role = replica")
        for table in ("trades_tradeversion", "trades_ledgerentry"):
            root.execute(_RECORDED_THEN.format(table=table).encode(), [TEN])
        _wait_until_kept(root, days)
        root.execute("VACUUM ANALYZE")
    return Ground(stack, token, session, days)


def _trades(tickers: list[str], days: list[date]) -> Iterator[tuple[object, ...]]:
    """Buys and smaller sells of each name in turn, at eleven in New York or an hour earlier."""
    for number, ticker in enumerate(tickers):
        for turn, day in enumerate(days[number % A_TRADE_EACH :: A_TRADE_EACH]):
            side, quantity = ("sell", 40) if turn % 3 == 2 else ("buy", 100)
            price = Decimal(60 + (number * 17 + turn * 5) % 90) + Decimal("0.25")
            at = datetime(day.year, day.month, day.day, 15, tzinfo=UTC)
            yield TEN, ticker, side, quantity, price, at.isoformat()


def _wait_until_kept(root: Any, days: list[date]) -> None:
    deadline = time.monotonic() + PATIENCE
    while root.execute(_KEPT, [days]).fetchone()[0] < len(days) * _SHARDS:
        assert time.monotonic() < deadline, "past sessions are not kept"
        time.sleep(0.5)
