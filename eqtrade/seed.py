"""The data of a new local stack: accounts, instruments, prices, users, and trades to look at.

Every step looks at what is there and adds what is missing, so that seeding again is harmless and
quick. Nothing that a person changed is changed back.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import Group, Permission, User
from django.db import transaction
from django.db.models import Q

from accounts.models import Account, Entitlement
from eqtrade.seed_trades import demo_trades
from kernel.errors import DomainError
from prices.closes.fetch import closes_fetch
from prices.quotes.refresh import quotes_refresh
from prices.services.instruments import instruments_sync
from prices.sessions import sessions
from prices.sources import SourceUnavailable
from trades.guard_rules import (
    LARGE_NOTIONAL,
    LARGE_QUANTITY,
    LATE,
    NO_MARK,
    OF_POSITION,
    OFF_MARK,
    PROBABLE_DUPLICATE,
    STALE_MARK,
)
from trades.models import Guard, Trade
from trades.services.guard_settings import Wanted, guards_put
from trades.services.recording import trades_record

# One more than the sessions with trades: the first of these needs a previous close.
SESSIONS_WITH_CLOSES = 11
DEFAULT_PASSWORD = "demo"  # noqa: S105 - the local stack's, printed when it starts

ACCOUNTS = (("Test1", True), ("Test2", True), ("Test3", True), ("Test4", False))
OUR_APPS = ("accounts", "prices", "trades", "positions", "pnl", "blotter")


class SeedRefused(DomainError):
    """Seeding gives known passwords to users with rights: never outside the local stack."""

    code = "seed_refused"
    detail = "Only the local stack that `make run` starts is seeded (EQTRADE_LOCAL_STACK=1)."


@dataclass(frozen=True)
class DemoUser:
    """`view`, `book` and `correct` are account codes."""

    name: str
    view: tuple[str, ...] = ()
    book: tuple[str, ...] = ()
    correct: tuple[str, ...] = ()
    group: str | None = None
    is_superuser: bool = False

    @property
    def is_staff(self) -> bool:
        return self.is_superuser or self.group is not None


_ALL = tuple(code for code, _ in ACCOUNTS)
MIDDLE_OFFICE, OPERATIONS = "Middle office", "Operations"
USERS = (
    DemoUser("admin", is_superuser=True),
    DemoUser("trader", view=("Test1", "Test2"), book=("Test1", "Test2")),
    DemoUser("middleoffice", view=_ALL, book=_ALL, correct=_ALL, group=MIDDLE_OFFICE),
    DemoUser("viewer", view=("Test1",)),
    DemoUser("ops", view=_ALL, group=OPERATIONS),
)
# Where a desk can start: docs/concepts/guards.md says why. Test4 has none, for examples far from
# the market.
GUARDED = ("Test1", "Test2", "Test3")
GUARDS: dict[str, dict[str, Any]] = {
    OFF_MARK: {"warn": Decimal(5)},
    LARGE_QUANTITY: {"warn": Decimal(50_000)},
    LARGE_NOTIONAL: {"warn": Decimal(5_000_000)},
    OF_POSITION: {"warn": Decimal(100)},
    PROBABLE_DUPLICATE: {"minutes": 5},
    LATE: {"warn": Decimal(5)},
    STALE_MARK: {},
    NO_MARK: {},
}
# Beyond viewing all that is ours: app label, then permissions as Django names them.
_GROUP_RIGHTS: dict[str, dict[str, tuple[str, ...]]] = {
    MIDDLE_OFFICE: {
        "prices": (
            "override", "manage_actions", "add_instrument", "change_instrument",
            "add_sessionoverride", "change_sessionoverride", "delete_sessionoverride",
            "add_settlementoverride", "change_settlementoverride", "delete_settlementoverride",
        ),
        "accounts": (
            "change_account", "add_strategy", "change_strategy", "add_counterparty",
            "change_counterparty",
        ),
        "trades": (
            "manage_guards", "add_feeschedule", "change_feeschedule", "add_accountfeeschedule",
            "change_accountfeeschedule", "delete_accountfeeschedule",
        ),
        "blotter": ("review_exceptions",),
    },
    OPERATIONS: {
        "kernel": ("schedules",),
    },
}  # fmt: skip


def seed(*, with_trades: bool, password: str, now: datetime, say: Callable[[str], None]) -> None:
    """Seed the local stack; a second call adds only what is missing. Raises SeedRefused.

    A password other than the default is given to demo users who exist already, too: who sets one
    does not want the known one to stay. The default is given to new users only.
    """
    if not settings.LOCAL_STACK:
        raise SeedRefused
    with transaction.atomic():
        _accounts()
        _groups()
        _users(password)
    report = instruments_sync()
    say(f"{report.members} instruments, {len(report.joined)} of them new")
    _prices(now, say)
    if with_trades:
        _trades(now, say)
        _guards(say)


def _accounts() -> None:
    for code, can_short in ACCOUNTS:
        Account.objects.get_or_create(
            code=code, defaults={"name": f"Demo account {code}", "can_short": can_short}
        )


def _groups() -> None:
    """New groups only: what a person took from one is not given back."""
    for name, rights in _GROUP_RIGHTS.items():
        group, is_new = Group.objects.get_or_create(name=name)
        if not is_new:
            continue
        wanted = Q(content_type__app_label__in=OUR_APPS, codename__startswith="view_")
        for app, codenames in rights.items():
            wanted |= Q(content_type__app_label=app, codename__in=codenames)
        group.permissions.set(Permission.objects.filter(wanted))


def _users(password: str) -> None:
    accounts = {account.code: account for account in Account.objects.filter(code__in=_ALL)}
    groups = {group.name: group for group in Group.objects.all()}
    # One hash for all: each takes most of a second on purpose, and this password is printed anyway.
    hashed = cache(lambda: make_password(password))
    opens = cache(lambda encoded: check_password(password, encoded))
    for demo in USERS:
        user, is_new = User.objects.get_or_create(
            username=demo.name,
            defaults={
                "is_staff": demo.is_staff,
                "is_superuser": demo.is_superuser,
                "password": "",
            },
        )
        if is_new or (password != DEFAULT_PASSWORD and not opens(user.password)):
            user.password = hashed()
            user.save(update_fields=["password"])
        if not is_new:
            continue
        if demo.group is not None:
            user.groups.add(groups[demo.group])
        Entitlement.objects.bulk_create(
            Entitlement(
                user=user,
                account=accounts[code],
                can_book=code in demo.book,
                can_correct=code in demo.correct,
            )
            for code in demo.view
        )


def _prices(now: datetime, say: Callable[[str], None]) -> None:
    """A source that is away is no reason not to start: closes are asked for again by beat."""
    try:
        closes = closes_fetch(now=now, sessions_back=SESSIONS_WITH_CLOSES)
        quotes = quotes_refresh(now=now)
    except SourceUnavailable as error:
        say(f"no prices yet: {error}")
    else:
        say(f"{closes} closes and {quotes} quotes ({settings.PRICE_SOURCE}) are new")


def _trades(now: datetime, say: Callable[[str], None]) -> None:
    """Once, into an empty book; all or none."""
    if Trade.objects.exists():
        return
    days = sessions().completed_sessions(now, SESSIONS_WITH_CLOSES)[1:]
    with transaction.atomic():
        trades = demo_trades(days=days, seed=settings.PRICE_SEED)
        if trades:
            trades_record(trades)
    say(f"{len(trades)} trades booked" if trades else "no trades: there are no closes yet")


def _guards(say: Callable[[str], None]) -> None:
    """Once: what a person has set or switched off stays so."""
    if Guard.objects.exists():
        return
    wanted = [
        Wanted(account, code, **levels) for account in GUARDED for code, levels in GUARDS.items()
    ]
    guards_put(user=User.objects.get(username="admin"), wanted=wanted)
    say(f"{len(wanted)} guards ask in {', '.join(GUARDED)}")
