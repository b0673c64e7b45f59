"""A stack whose accounts are held and traded, and the users who watch them."""

import os
from dataclasses import dataclass
from itertools import product
from typing import Any

from benchmarks.rig.files import import_rows
from benchmarks.rig.stacks import Stack
from benchmarks.rig.watchers import Who
from docs.examples.live_blotter import subscription
from tests.stack.client import Client
from tests.stack.ticker import stand_still

ACCOUNTS = int(os.environ.get("BENCH_ACCOUNTS", "200"))
USERS = int(os.environ.get("BENCH_USERS", "100"))
EACH = 3
"""Accounts that a watcher watches."""
POSITIONS, TRADES, INSTRUMENTS = 15, 100, 500

MAKE_USERS = f"""
from django.contrib.auth.models import User
from accounts.models import Account, Entitlement
from accounts.services import token_create
from kernel import clock
accounts = Account.objects.bulk_create(
    Account(code=f"Fan{{n:03}}") for n in range({ACCOUNTS} + 1))
desk = User.objects.create_user("desk")
Entitlement.objects.bulk_create(
    Entitlement(user=desk, account=a, can_view=True, can_book=True) for a in accounts)
users = User.objects.bulk_create(
    User(username=f"watcher{{n:03}}", password="!") for n in range({USERS}))
watched = accounts[:-1]
for n, user in enumerate(users):
    Entitlement.objects.bulk_create(
        Entitlement(user=user, account=watched[(n * 2 + step * 67) % len(watched)])
        for step in range({EACH}))
print("desk", token_create(user=desk, now=clock.now()).key)
for user in users:
    print("token", token_create(user=user, now=clock.now()).key)
"""


@dataclass(frozen=True)
class Ground:
    """`tokens` are the watchers', by user; `unwatched` is an account that none of them views."""

    stack: Stack
    desk: str
    tokens: list[str]
    codes: list[str]
    unwatched: str
    tickers: list[str]

    def held(self, account: int) -> list[str]:
        """Tickers in an account, known by its number."""
        return [self.tickers[(account * 7 + n * 33) % len(self.tickers)] for n in range(POSITIONS)]

    def watched(self, user: int) -> list[int]:
        """Numbers of the accounts that a user watches."""
        return [(user * 2 + step * 67) % len(self.codes) for step in range(EACH)]

    def who(self, count: int) -> list[Who]:
        """So many watchers, the users in turn."""
        found = []
        for number in range(count):
            user = number % len(self.tokens)
            accounts = self.watched(user)
            tickers = sorted({ticker for account in accounts for ticker in self.held(account)})
            codes = [self.codes[account] for account in accounts]
            found.append(Who(self.tokens[user], subscription(codes, prices=tickers)))
        return found

    def rows(self) -> dict[str, list[Any]]:
        """All positions, as REST tells them, by account."""
        client = Client(self.stack.url, self.desk)
        return {code: client.rows("positions/", account=code) for code in self.codes}


def prepare(stack: Stack) -> Ground:
    """Make accounts and users, let the import fill them, and let prices stand still."""
    stand_still(stack)
    said = stack.manage("shell", "-c", MAKE_USERS).split("\n")
    tokens = [line.split()[1] for line in said if line.startswith("token ")]
    (desk,) = (line.split()[1] for line in said if line.startswith("desk "))
    with stack.superuser() as root:
        found = root.execute(
            "SELECT ticker FROM prices_instrument WHERE is_active ORDER BY id LIMIT %s",
            [INSTRUMENTS],
        )
        tickers = [str(row[0]) for row in found]
    codes = [f"Fan{n:03}" for n in range(ACCOUNTS)]
    ground = Ground(stack, desk, tokens, codes, f"Fan{ACCOUNTS:03}", tickers)
    import_rows(
        stack,
        desk,
        ("account", "ticker", "side", "quantity", "price"),
        (
            (codes[account], ground.held(account)[n % POSITIONS], "buy", 1 + n % 90, 100)
            for n, account in product(range(TRADES), range(ACCOUNTS))
        ),
    )
    stack.drained()
    with stack.superuser() as root:
        root.execute("VACUUM ANALYZE")
    return ground
