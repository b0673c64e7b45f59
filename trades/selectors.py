"""Trades as users see them: terms by name, and each trade's own P&L."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Min, QuerySet

from accounts.selectors import AnyUser, account_rights
from kernel import clock, prepared
from kernel.clock import new_york
from kernel.pnl import signed, trade_pnl
from prices.closes.read import SessionClose, closes_at
from prices.models import CARRIED
from prices.references import opening_closes
from prices.sessions import sessions
from trades.fee_kinds import Fee, cash_paid, in_order
from trades.models import (
    Import,
    RequestGroup,
    Status,
    Terms,
    Trade,
    TradeTag,
    TradeVersion,
    VersionFee,
)
from trades.terms import TERMS, VERSIONED, Booking

RECENT_SESSIONS = 10


FeeRow = dict[str, Any]
"""A fee as an answer has it: kind and amount."""


class TradeRow(NamedTuple):
    """A trade with its P&L against the previous close of its own session: None when that close is
    missing, 0 when cancelled, not valid where it was carried or is doubted. Where the time of
    execution is not known, `executed_at` is that of booking, which puts it in its order.
    `net_amount` is the cash paid, fees included: received is negative."""

    id: UUID
    account: str
    ticker: str
    side: str
    quantity: Decimal
    price: Decimal
    trade_date: date
    executed_at: datetime
    executed_at_known: bool
    booked_at: datetime
    booked_by: str
    version: int
    status: str
    request_group: UUID | None
    client_trade_id: str | None
    note: str
    settlement_date: date
    strategy: str | None
    counterparty: str | None
    order_id: str | None
    fees: Sequence[FeeRow]
    net_amount: Decimal
    tags: tuple[str, ...]
    trade_pnl: Decimal | None
    pnl_valid: bool
    account_id: int


ANSWERED = TradeRow._fields[:-1]
"""What an answer says of a trade, in the order of the row: all but the account's id."""


def executed_at_known(executed_at: datetime, booked_at: datetime, trade_date: date) -> bool:
    """True if a trade was executed when it says. Who says no time gets that of booking, which is no
    time of execution of another day: then only the day is known. Nothing need be kept for it."""
    return executed_at != booked_at or new_york(booked_at).date() == trade_date


def trades_visible(accounts: Iterable[int]) -> QuerySet[Trade]:
    """Trades that are now in these accounts, newest booking first."""
    return trades_with_names().filter(account__in=list(accounts))


def trades_with_names() -> QuerySet[Trade]:
    """Trades with account, instrument and booker, newest booking first."""
    return Trade.objects.select_related("account", "instrument", "booked_by").order_by("-id")


def versions_visible(trade: Trade, accounts: Iterable[int]) -> QuerySet[TradeVersion]:
    """The trade's versions in these accounts, oldest first."""
    return (
        TradeVersion.objects.filter(trade=trade, account__in=list(accounts))
        .select_related("account", "instrument", "strategy", "counterparty", "actor", "trade")
        .order_by("version")
    )


def version_terms(version: TradeVersion) -> dict[str, Any]:
    """The terms of a version by name, codes for what it refers to. One query for the fees of a
    version that has any and was not read by `with_fees`."""
    if "paid" not in version.__dict__:
        with_fees([version])
    return {
        **{term.name: getattr(version, term.column) for term in VERSIONED},
        "account": version.account.code,
        "ticker": version.instrument.ticker,
        "settlement_date": settlement_of(version),
        "strategy": version.strategy and version.strategy.code,
        "counterparty": version.counterparty and version.counterparty.code,
        "fees": version.paid,
    }


def settlement_of(terms: Terms) -> date:
    """When a trade or a version settles. One of before there was a settlement date says none."""
    return terms.settlement_date or sessions().settlement_day(terms.trade_date)


def with_fees(versions: Iterable[TradeVersion]) -> list[TradeVersion]:
    """The same versions, of one trade, each with its fees in `paid`. One query if any has fees."""
    of = list(versions)
    paid = [version.version for version in of if version.fees is not None]
    found = fees_of(of[0].trade_id, paid) if paid else {}
    for version in of:
        version.paid = found.get(version.version, ())
    return of


def fees_of(trade_id: UUID, versions: Collection[int]) -> dict[int, tuple[Fee, ...]]:
    """The fees of these versions of a trade, in the order of their kinds."""
    found: dict[int, list[Fee]] = {}
    rows = VersionFee.objects.filter(trade=trade_id, version__in=versions)
    for version, kind, amount, source in rows.values_list("version", "kind", "amount", "source"):
        found.setdefault(version, []).append(Fee(kind, amount, source))
    return {version: in_order(fees) for version, fees in found.items()}


def tags_of(trade_id: UUID) -> list[str]:
    """The tags that a trade has, in their order."""
    said = TradeTag.objects.filter(trade=trade_id).order_by("id")
    last = dict(said.values_list("tag", "is_added"))
    return sorted(tag for tag, is_added in last.items() if is_added)


def _told(column: str, table: str, by: str) -> str:
    return f"(SELECT {column} FROM {table} r WHERE r.id = t.{by})"


# Each is looked up by itself: planning a join of six tables takes twice as long as reading a page.
_TOLD = {
    "account": _told("code", "accounts_account", "account_id"),
    "ticker": _told("ticker", "prices_instrument", "instrument_id"),
    "strategy": _told("code", "accounts_strategy", "strategy_id"),
    "counterparty": _told("code", "accounts_counterparty", "counterparty_id"),
    "booked_by": _told("username", "auth_user", "booked_by_id"),
}
# Not looked for where a trade has none, as most have.
_FEES = """CASE WHEN t.fees IS NOT NULL THEN (
        SELECT json_agg(json_build_array(f.kind, f.amount::text))
          FROM trades_versionfee f WHERE f.trade_id = t.id AND f.version = t.version) END"""
# The last that was said of each tag.
_TAGS = """(SELECT array_agg(g.tag ORDER BY g.tag) FROM (
        SELECT DISTINCT ON (tag) tag, is_added FROM trades_tradetag
         WHERE trade_id = t.id ORDER BY tag, id DESC) g WHERE g.is_added)"""
_READ = {
    "id": "t.id",
    **{term.name: _TOLD.get(term.name, f"t.{term.column}") for term in TERMS},
    "fees": _FEES,
    "tags": _TAGS,
    "booked_at": "t.booked_at",
    "booked_by": _TOLD["booked_by"],
    "version": "t.version",
    "status": "t.status",
    "request_group": "t.request_group_id",
    "account_id": "t.account_id",
}
_TRADES = f"""
    SELECT {", ".join(_READ.values())}, t.instrument_id
      FROM trades_trade t
     WHERE t.id """


def trade_rows_read(
    ids: str, params: Mapping[str, Any], *, is_planned: bool = False
) -> list[TradeRow]:
    """Rows of the trades whose id fits the condition `ids`, such as `= ANY(%(ids)s::uuid[])`,
    newest booking first. Two statements; `is_planned`: the first is planned for its values."""
    read = prepared.rows_planned if is_planned else prepared.rows
    found = read(f"{_TRADES} {ids} ORDER BY t.id DESC", params)
    if not found:
        return []
    known = sessions()
    day_at = list(_READ).index("trade_date")
    previous = {day: known.previous_session(day) for day in {row[day_at] for row in found}}
    closes = closes_at((row[-1], previous[row[day_at]]) for row in found)
    opening = opening_closes(
        {(row[-1], row[day_at]): closes.get((row[-1], previous[row[day_at]])) for row in found},
        known=known,
        now=clock.now(),
    )
    rows = []
    for row in found:
        values = dict(zip(_READ, row, strict=False))
        if values["fees"] is None:
            values["fees"] = ()
        else:
            values["fees"] = in_order(Fee(kind, Decimal(said)) for kind, said in values["fees"])
        values["settlement_date"] = values["settlement_date"] or known.settlement_day(row[day_at])
        values["tags"] = tuple(values["tags"] or ())
        rows.append(_row(values, opening[row[-1], row[day_at]]))
    return rows


def trade_rows(trades: Iterable[Trade]) -> list[TradeRow]:
    """Rows of these trades as they are now, in their order."""
    ids = [trade.pk for trade in trades]
    found = {row.id: row for row in trade_rows_read("= ANY(%(ids)s::uuid[])", {"ids": ids})}
    return [found[pk] for pk in ids if pk in found]


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
    values = {
        **{term.name: getattr(terms, term.name) for term in TERMS},
        "id": trade_id,
        "account_id": account_id,
        "booked_at": booked_at,
        "booked_by": booked_by,
        "version": 1,
        "status": Status.BOOKED.value,
        "request_group": None,
        "tags": (),
    }
    return _row(values, previous_close)


def _row(values: dict[str, Any], close: SessionClose | None) -> TradeRow:
    """A row, with its P&L against this previous close of its session."""
    pnl: Decimal | None
    quantity, fees = signed(values["side"], values["quantity"]), values["fees"]
    values["net_amount"] = cash_paid(quantity * values["price"], fees)
    values["fees"] = [{"kind": fee.kind, "amount": fee.amount} for fee in fees]
    if values["status"] == Status.CANCELLED:
        pnl, valid = Decimal(0), True
    elif close is None:
        pnl, valid = None, False
    else:
        pnl = trade_pnl(close.close, values["price"], quantity)
        valid = close.source != CARRIED and not _is_doubted(close, values["trade_date"])
    known = executed_at_known(values["executed_at"], values["booked_at"], values["trade_date"])
    return TradeRow(**values, executed_at_known=known, trade_pnl=pnl, pnl_valid=valid)


def _is_doubted(close: SessionClose, trade_date: date) -> bool:
    """True if a close held back was known by the end of the session that is measured from this
    one: what was final before stays so."""
    if close.doubted_at is None:
        return False
    known = sessions()
    return (
        not known.is_session(trade_date) or close.doubted_at <= known.session_of(trade_date).closes
    )


# One look into the ledger's index an account and instrument: it must not grow with the trades.
_TRADED = """
    SELECT i.id FROM unnest(%s::bigint[]) i (id)
     WHERE EXISTS (
        SELECT FROM accounts_account a
         CROSS JOIN LATERAL (
            SELECT FROM trades_ledgerentry e
             WHERE e.account_id = a.id AND e.instrument_id = i.id AND e.trade_date >= %s::date
             LIMIT 1
         ) traded)
"""


def recently_traded_instruments(instruments: Collection[int], now: datetime) -> set[int]:
    """Those of these instruments that were traded, by trade date, in the last sessions
    (`RECENT_SESSIONS`)."""
    known = sessions()
    first = known.business_date(now)
    for _ in range(RECENT_SESSIONS - 1):
        first = known.previous_session(first)
    return {pk for (pk,) in prepared.rows(_TRADED, [list(instruments), first])}


def first_trade_date() -> date | None:
    """The earliest trade date of any version, cancelled ones too; None without trades."""
    first: date | None = TradeVersion.objects.aggregate(first=Min("trade_date"))["first"]
    return first


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
