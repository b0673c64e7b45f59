"""Trades as users see them: terms by name, and each trade's own P&L."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Min, QuerySet

from accounts.selectors import AnyUser, account_rights
from kernel.pnl import signed, trade_pnl
from prices.closes.read import SessionClose, closes_at
from prices.models import CARRIED
from prices.sessions import day_start, sessions
from trades.models import Import, RequestGroup, Status, Trade, TradeVersion
from trades.terms import FIELDS, TERMS, VERSIONED, Booking

RECENT_SESSIONS = 10


@dataclass(frozen=True, slots=True)
class TradeRow:
    """A trade with its P&L against the previous close of its own session: None when that close is
    missing, 0 when cancelled."""

    id: UUID
    account: str
    ticker: str
    side: str
    quantity: Decimal
    price: Decimal
    trade_date: date
    executed_at: datetime
    booked_at: datetime
    booked_by: str
    version: int
    status: str
    request_group: UUID | None
    client_trade_id: str | None
    note: str
    trade_pnl: Decimal | None
    pnl_valid: bool
    account_id: int


ANSWERED = tuple(f.name for f in fields(TradeRow) if f.name != "account_id")
"""What an answer says of a trade, in this order."""


def trades_visible(accounts: Iterable[int]) -> QuerySet[Trade]:
    """Trades that are now in these accounts, newest booking first."""
    return trades_with_names().filter(account__in=list(accounts))


def trades_with_names() -> QuerySet[Trade]:
    """All that `trade_rows` needs of trades, newest booking first."""
    return Trade.objects.select_related("account", "instrument", "booked_by").order_by("-id")


def versions_visible(trade: Trade, accounts: Iterable[int]) -> QuerySet[TradeVersion]:
    """The trade's versions in these accounts, oldest first."""
    return (
        TradeVersion.objects.filter(trade=trade, account__in=list(accounts))
        .select_related("account", "instrument", "actor")
        .order_by("version")
    )


def version_terms(version: TradeVersion) -> dict[str, Any]:
    """The terms of a version that was read with account and instrument, by name."""
    return {
        **{term.name: getattr(version, term.column) for term in VERSIONED},
        "account": version.account.code,
        "ticker": version.instrument.ticker,
    }


def trade_rows(trades: Sequence[Trade]) -> list[TradeRow]:
    """Rows of trades that were read with account, instrument and booked_by. Two queries."""
    known = sessions()
    previous = {d: known.previous_session(d) for d in {t.trade_date for t in trades}}
    closes = closes_at((t.instrument_id, previous[t.trade_date]) for t in trades)
    return [
        _row(
            {
                **{term.name: getattr(trade, term.name) for term in _PLAIN_TERMS},
                "account": trade.account.code,
                "ticker": trade.instrument.ticker,
            },
            closes.get((trade.instrument_id, previous[trade.trade_date])),
            id=trade.pk,
            account_id=trade.account_id,
            booked_at=trade.booked_at,
            booked_by=trade.booked_by.get_username(),
            version=trade.version,
            status=trade.status,
            request_group=trade.request_group_id,
        )
        for trade in trades
    ]


def new_trade_row(
    *,
    trade_id: UUID,
    terms: Booking,
    account_id: int,
    booked_at: datetime,
    booked_by: str,
    previous_close: SessionClose | None,
) -> TradeRow:
    """The row of a trade that was just booked by itself, without reading it: no default is open in
    its terms, and `previous_close` is that of its trade date."""
    return _row(
        {name: getattr(terms, name) for name in FIELDS},
        previous_close,
        id=trade_id,
        account_id=account_id,
        booked_at=booked_at,
        booked_by=booked_by,
        version=1,
        status=Status.BOOKED.value,
        request_group=None,
    )


# Account and ticker are told by their codes.
_PLAIN_TERMS = tuple(term for term in TERMS if term.name not in ("account", "ticker"))


def _row(terms: dict[str, Any], close: SessionClose | None, **others: Any) -> TradeRow:
    """A row, with its P&L against this previous close of its session."""
    pnl: Decimal | None
    if others["status"] == Status.CANCELLED:
        pnl, valid = Decimal(0), True
    elif close is None:
        pnl, valid = None, False
    else:
        quantity = signed(terms["side"], terms["quantity"])
        pnl, valid = trade_pnl(close.close, terms["price"], quantity), close.source != CARRIED
    return TradeRow(**terms, **others, trade_pnl=pnl, pnl_valid=valid)


def recently_traded_instruments(now: datetime) -> set[int]:
    """Ids of the instruments that no index makes priced and that were traded, by trade date, in the
    last sessions (`RECENT_SESSIONS`). Members are priced anyway, and of the few others each is one
    look into the ledger's index an account: asked every second, it must not grow with the trades.
    """
    known = sessions()
    first = known.business_date(now)
    for _ in range(RECENT_SESSIONS - 1):
        first = known.previous_session(first)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT i.id FROM prices_instrument i
             WHERE (NOT i.is_active OR i.indices = '{}')
               AND EXISTS (
                SELECT FROM accounts_account a
                 CROSS JOIN LATERAL (
                    SELECT FROM trades_ledgerentry e
                     WHERE e.account_id = a.id AND e.instrument_id = i.id AND e.trade_date >= %s
                     LIMIT 1
                 ) traded)
            """,
            [first],
        )
        return {row[0] for row in cursor.fetchall()}


def first_trade_date() -> date | None:
    """The earliest trade date of any version, cancelled ones too; None without trades."""
    first: date | None = TradeVersion.objects.aggregate(first=Min("trade_date"))["first"]
    return first


def trades_of_the_day(
    accounts: Iterable[int], business_date: date, ids: Iterable[str] | None = None
) -> list[TradeRow]:
    """Trades now in these accounts that are dated on the business date or have a version recorded
    since 00:00 New York of it; narrowed to `ids` when given. Newest booking first."""
    since = TradeVersion.objects.filter(
        recorded_at__gte=day_start(business_date), account__in=list(accounts)
    )
    dated = Trade.objects.filter(trade_date=business_date, account__in=list(accounts))
    if ids is not None:
        wanted = list(ids)
        since, dated = since.filter(trade__in=wanted), dated.filter(pk__in=wanted)
    # Two index scans; one condition with OR would walk every trade that the accounts ever had.
    of_the_day = set(since.values_list("trade_id", flat=True)) | set(
        dated.values_list("pk", flat=True)
    )
    return trade_rows(list(trades_visible(accounts).filter(pk__in=of_the_day)))


def imports_visible(user: AnyUser) -> QuerySet[Import]:
    """The user's own imports, or all for a superuser; newest first."""
    found = Import.objects.select_related("user", "undone_by").order_by("-id")
    return found if getattr(user, "is_superuser", False) else found.filter(user=user.pk)


def import_seen(user: AnyUser, import_id: UUID) -> Import | None:
    """One import: the user's own, or one whose trades are all in accounts where they may correct,
    for cancelling is correcting; cancelled ones count too, so that an undo can be followed."""
    job = Import.objects.select_related("user", "undone_by").filter(pk=import_id).first()
    if job is None or imports_visible(user).filter(pk=import_id).exists():
        return job
    corrects = [r.account.pk for r in account_rights(user) if r.can_correct]
    booked = Trade.objects.filter(request_group__import_job=import_id)
    if not corrects or booked.exclude(account__in=corrects).exists():
        return None
    return job if booked.exists() else None


def groups_visible(user: AnyUser) -> QuerySet[RequestGroup]:
    """The user's own request groups, or all for a superuser."""
    found = RequestGroup.objects.all()
    return found if getattr(user, "is_superuser", False) else found.filter(user=user.pk)


def imports_page(
    user: AnyUser, limit: int, after: UUID | None, before: UUID | None
) -> list[Import]:
    """At most `limit` of them, newest first, from after an id on or up to before one."""
    found = imports_visible(user)
    if before is not None:
        return list(found.filter(pk__gt=before).order_by("pk")[:limit])[::-1]
    if after is not None:
        found = found.filter(pk__lt=after)
    return list(found[:limit])


def imports_by_id(ids: Iterable[str]) -> list[Import]:
    return list(Import.objects.select_related("user", "undone_by").filter(pk__in=list(ids)))


def import_groups(imports: Iterable[Import]) -> dict[UUID, list[UUID]]:
    """The request groups that each import has booked, in the order of its rows."""
    found: dict[UUID, list[UUID]] = {job.pk: [] for job in imports}
    groups = RequestGroup.objects.filter(import_job__in=list(found)).order_by("created_at", "pk")
    for job, group in groups.values_list("import_job", "pk"):
        found[job].append(group)
    return found
