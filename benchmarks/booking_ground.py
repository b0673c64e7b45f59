"""Accounts that hold few and many positions, and what was booked in them, counted and compared."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from typing import Any
from uuid import uuid4

from benchmarks.rig.files import import_rows
from benchmarks.rig.load import request_bytes
from benchmarks.rig.sender import NUMBER
from benchmarks.rig.stacks import Stack
from tests.stack.running import PASSWORD

ACCOUNTS, TICKERS = 60, 15
FEW, MANY = 15, 500
HELD = 1000
"""Of each position before anything is measured."""
PREFIX = {FEW: "Few", MANY: "Many"}

MAKE_ACCOUNTS = """
from django.contrib.auth.models import User
from accounts.models import Account, Entitlement
user = User.objects.create_user("desk", password={password!r})
for prefix in {prefixes}:
    made = Account.objects.bulk_create(
        Account(code=f"{{prefix}}{{n:02}}") for n in range(1, {accounts} + 1))
    Entitlement.objects.bulk_create(
        Entitlement(user=user, account=a, can_view=True, can_book=True) for a in made)
"""

Key = tuple[str, str]


@dataclass
class Ground:
    """A stack with its accounts filled. `counts` and `held` are what it must come to: how many
    trades, and what position, by account code and ticker; `usual` the same for the other tables."""

    stack: Stack
    token: str
    tickers: list[str]
    """The first of these are booked, 15 in each account, and their ids follow one another."""
    first_instrument: int
    first_account: dict[int, int]
    user: int
    trade_date: str
    counts: dict[Key, int]
    held: dict[Key, Decimal]
    usual_counts: dict[Key, int]
    usual_held: dict[Key, Decimal]

    def bookings(self, size: int) -> list[dict[str, str]]:
        """A buy and a sell of every account and ticker, each of another quantity and price."""
        keys = product(codes(size), self.tickers[:TICKERS], ("buy", "sell"))
        return [
            {
                "account": account,
                "ticker": ticker,
                "side": side,
                "quantity": str(1 + n * 7 % 90),
                "price": f"{80 + n * 37 % 41}.{n % 100:02}",
            }
            for n, (account, ticker, side) in enumerate(keys)
        ]

    def requests(
        self,
        path: str,
        size: int,
        *,
        client_ids: bool,
        distinct: bool = False,
        more: Mapping[str, Any] | None = None,
    ) -> list[bytes]:
        """Those of `bookings`, each with `more` terms; `distinct`: none twice, but at
        another price by a little."""
        headers = {"Authorization": f"Token {self.token}"}
        mine = f"{uuid4().hex[:12]}-{NUMBER.decode()}"
        own = {"client_trade_id": mine} if client_ids else {}
        little = NUMBER.decode() if distinct else ""
        return [
            request_bytes(
                "POST",
                path,
                headers,
                {**booking, "price": booking["price"] + little, **own, **(more or {})},
            )
            for booking in self.bookings(size)
        ]

    def count(self, size: int, answered: Iterable[int], *, usual: bool = False) -> None:
        """Note what was acknowledged, in the order of `bookings`."""
        counts = self.usual_counts if usual else self.counts
        held = self.usual_held if usual else self.held
        for booking, times in zip(self.bookings(size), answered, strict=True):
            if not times:
                continue
            key = booking["account"], booking["ticker"]
            signed = Decimal(booking["quantity"]) * (1 if booking["side"] == "buy" else -1)
            counts[key] += times
            held[key] += times * signed

    def count_written(self, expected: int) -> None:
        """Note what was written without us knowing where: buys of 1, so many in all."""
        found = self._trades("trades_trade")
        assert sum(found.values()) - sum(self.counts.values()) == expected, "trades are lost"
        for key, times in found.items():
            more = times - self.counts[key]
            self.counts[key] += more
            self.held[key] += more

    def compare(self) -> int:
        """Compare everything with what was sent, once the readers have it; how many trades were
        compared. Raises AssertionError that names what differs."""
        self.stack.drained()
        _same("trades", self._trades("trades_trade"), self.counts)
        _same("versions", self._trades("trades_tradeversion"), self.counts)
        _same("entries", self._trades("trades_ledgerentry"), self.counts)
        for table in ("positions_position", "pnl_holding", "pnl_cost"):
            _same(table, self._quantities(table), self.held)
        compared = sum(self.counts.values())
        if self.usual_counts:
            _same("usual_trade", self._trades("usual_trade"), self.usual_counts)
            _same("usual_position", self._quantities("usual_position"), self.usual_held)
            compared += sum(self.usual_counts.values())
        return compared

    def _trades(self, table: str) -> dict[Key, int]:
        return self._by_key(f"SELECT {{key}}, count(*) FROM {table}")

    def _quantities(self, table: str) -> dict[Key, Decimal]:
        return self._by_key(f"SELECT {{key}}, sum(x.quantity) FROM {table}")

    def _by_key(self, query: str) -> dict[Key, Any]:
        """Only the accounts of this benchmark count."""
        query = query.format(key="a.code, i.ticker") + (
            " x JOIN accounts_account a ON a.id = x.account_id"
            " JOIN prices_instrument i ON i.id = x.instrument_id"
            " WHERE a.code ~ '^(Few|Many)[0-9]' GROUP BY a.code, i.ticker"
        )
        with self.stack.superuser() as root:
            return {(row[0], row[1]): row[2] for row in root.execute(query.encode())}


def codes(size: int) -> list[str]:
    return [f"{PREFIX[size]}{n:02}" for n in range(1, ACCOUNTS + 1)]


def prepare(stack: Stack) -> Ground:
    """Make the accounts and their user, and let the import fill them."""
    stack.manage(
        "shell",
        "-c",
        MAKE_ACCOUNTS.format(password=PASSWORD, prefixes=tuple(PREFIX.values()), accounts=ACCOUNTS),
    )
    token = stack.client("desk").token
    with stack.superuser() as root:
        names = root.execute(
            "SELECT id, ticker FROM prices_instrument WHERE is_active ORDER BY id LIMIT %s", [MANY]
        ).fetchall()
        accounts = dict(root.execute("SELECT code, id FROM accounts_account").fetchall())
        (user,) = root.execute("SELECT id FROM auth_user WHERE username = 'desk'").fetchone() or (
            0,
        )
    # pgbench draws from ranges of ids.
    assert [i for i, _ in names[:TICKERS]] == list(range(names[0][0], names[0][0] + TICKERS))
    for size in PREFIX:
        ids = [accounts[code] for code in codes(size)]
        assert ids == list(range(ids[0], ids[0] + ACCOUNTS)), "the accounts' ids have gaps"
    tickers = [ticker for _, ticker in names]
    keys = [
        (code, ticker) for size in PREFIX for code, ticker in product(codes(size), tickers[:size])
    ]
    import_rows(
        stack,
        token,
        ("account", "ticker", "side", "quantity", "price"),
        ((account, ticker, "buy", HELD, 100) for account, ticker in keys),
    )
    stack.drained()
    with stack.superuser() as root:
        (day,) = root.execute("SELECT max(trade_date) FROM trades_trade").fetchone() or ("",)
        root.execute("VACUUM ANALYZE")
    return Ground(
        stack,
        token,
        tickers,
        names[0][0],
        {size: accounts[codes(size)[0]] for size in PREFIX},
        user,
        str(day),
        dict.fromkeys(keys, 1),
        dict.fromkeys(keys, Decimal(HELD)),
        defaultdict(int),
        defaultdict(Decimal, dict.fromkeys(keys, Decimal(HELD))),
    )


def _same(what: str, found: dict[Key, Any], expected: dict[Key, Any]) -> None:
    wrong = [
        f"{what} {key}: {found.get(key)} instead of {expected.get(key)}"
        for key in sorted(found.keys() | expected.keys())
        if found.get(key) != expected.get(key)
    ]
    assert not wrong, f"{len(wrong)} differ from what was sent:\n" + "\n".join(wrong[:20])
