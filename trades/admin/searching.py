"""The search box and the filters of the trades list.

Each word is looked up as a whole: an account's code, a ticker, a user's name, a trade date or a
range of them (2026-01-05..2026-01-30), the id of a trade or of a request group, or a
client_trade_id. Words of one kind widen the search, words of different kinds narrow it. `user:`,
`ticker:` and so on before a word say what it is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import QuerySet

from accounts.models import Account
from prices.models import Instrument
from prices.sessions import sessions
from trades.models import ClientTradeId, RequestGroup, Status, Trade
from trades.pages import TradeFilter, trade_page
from trades.selectors import trades_with_names

HELP = (
    "Account, ticker, user, trade date (2026-01-30) or range (2026-01-05..2026-01-30), trade id,"
    " request group or client_trade_id: whole words. Say user:… or ticker:… where a word can be two"
    " things."
)
# A person looks at the newest; who needs more narrows the search or exports it.
MAX_LISTED = 1000
LIVE = "live"
_RANGE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:\.\.(\d{4}-\d{2}-\d{2}))?\Z", re.ASCII)
KINDS = ("account", "ticker", "user", "date", "id", "group", "client")


class NothingFound(Exception):
    """A word that names nothing here."""


@dataclass
class _Found:
    accounts: set[int] = field(default_factory=set)
    instruments: set[int] = field(default_factory=set)
    users: set[int] = field(default_factory=set)
    trades: set[UUID] = field(default_factory=set)
    days: tuple[date, date] | None = None
    group: UUID | None = None


@dataclass(frozen=True)
class Search:
    """`trades` is set where single trades were named; they count instead of the filter."""

    wanted: TradeFilter
    trades: frozenset[UUID] | None = None

    def newest(self) -> QuerySet[Trade]:
        """The newest trades that fit, at most `MAX_LISTED`."""
        if self.trades is not None:
            return trades_with_names().filter(
                pk__in=self.trades, account__in=list(self.wanted.accounts)
            )
        return trade_page(self.wanted, limit=MAX_LISTED)


def search_of(params: Mapping[str, str], text: str, accounts: list[Account], today: date) -> Search:
    """Read the page's parameters (`account`, `status`, `traded`) and the search box's text. Only
    within `accounts`, those that the user may view. A word that names nothing finds nothing."""
    nothing = Search(TradeFilter([]))
    try:
        found = _looked_up(text, accounts)
    except NothingFound:
        return nothing
    visible = {a.pk for a in accounts}
    if found.accounts:
        visible &= found.accounts
    if code := params.get("account"):
        visible &= {a.pk for a in accounts if a.code == code}
    first, last = found.days or (None, None)
    if traded := params.get("traded"):
        since = first_day(traded, today)
        first = since if first is None else max(first, since)
    if len(found.users) > 1:
        return nothing
    wanted = TradeFilter(
        accounts=sorted(visible),
        instruments=sorted(found.instruments) or None,
        statuses=_statuses(params.get("status")),
        first=first,
        last=last,
        request_group=found.group,
        booked_by=next(iter(found.users), None),
    )
    return Search(wanted, frozenset(found.trades) if found.trades else None)


def within(search: Search, after: UUID | None, limit: int) -> list[Trade]:
    """The next trades of the whole search, for what reads all of it piece by piece."""
    if search.trades is None:
        return list(trade_page(search.wanted, limit=limit, after=after))
    rest = search.newest()
    return list(rest.filter(pk__lt=after) if after else rest)[:limit]


def first_day(traded: str, today: date) -> date:
    """The first of the last so many sessions, the business date included."""
    day = today
    is_number = traded.isascii() and traded.isdigit() and len(traded) <= 2
    for _ in range(int(traded) - 1 if is_number else 0):
        day = sessions().previous_session(day)
    return day


def _statuses(status: str | None) -> list[str] | None:
    if status == LIVE:
        return [Status.BOOKED.value, Status.AMENDED.value]
    return [status] if status in Status.values else None


def _looked_up(text: str, accounts: list[Account]) -> _Found:
    found = _Found()
    for word in text.split()[:20]:
        # The database takes no NUL, so nothing has one in its name.
        if "\x00" in word:
            raise NothingFound(word)
        kind, colon, rest = word.partition(":")
        kinds = (kind,) if colon and kind in KINDS else KINDS
        value = rest if colon and kind in KINDS else word
        if not any(_take(found, each, value, accounts) for each in kinds):
            raise NothingFound(word)
    return found


def _take(found: _Found, kind: str, word: str, accounts: list[Account]) -> bool:
    """Add what the word means as this kind; False when it means nothing so."""
    if kind in ("date", "id", "group"):
        return _take_plain(found, kind, word)
    if kind == "account":
        ids = {a.pk for a in accounts if a.code.lower() == word.lower()}
        found.accounts |= ids
        return bool(ids)
    if kind == "ticker":
        ids = set(Instrument.objects.filter(ticker=word.upper()).values_list("pk", flat=True))
        found.instruments |= ids
        return bool(ids)
    if kind == "user":
        ids = set(User.objects.filter(username=word).values_list("pk", flat=True))
        found.users |= ids
        return bool(ids)
    named = ClientTradeId.objects.filter(
        account__in=[a.pk for a in accounts], client_trade_id=word
    ).values_list("trade_id", flat=True)
    trades = set(named)
    found.trades |= trades
    return bool(trades)


def _take_plain(found: _Found, kind: str, word: str) -> bool:
    """Kinds that a word's own form tells."""
    if kind == "date":
        match = _RANGE.match(word)
        try:
            days = [date.fromisoformat(d) for d in match.groups() if d] if match else []
        except ValueError:
            return False
        if not days:
            return False
        first, last = found.days or (days[0], days[-1])
        found.days = min(first, days[0]), max(last, days[-1])
        return True
    try:
        named = UUID(word)
    except ValueError:
        return False
    if kind == "group":
        if not RequestGroup.objects.filter(pk=named).exists():
            return False
        found.group = named
        return True
    if not Trade.objects.filter(pk=named).exists():
        return False
    found.trades.add(named)
    return True
