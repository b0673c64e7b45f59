"""Checked trades that are not written yet, and what the writer's statements take of them: a column
each, as PostgreSQL writes arrays."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, cast
from uuid import UUID

import uuid_utils

from trades.fee_kinds import Fee, total
from trades.models import Trade
from trades.terms import TERMS, Booking, Kind, Term

_REFERENCES = tuple(term.column for term in TERMS if term.is_reference)


class NewTrade(NamedTuple):
    """A checked trade that is not written yet: account and instrument found, and no default left
    open in its terms."""

    id: str
    account_id: int
    instrument_id: int
    terms: Booking
    terms_hash: str | None = None
    """Of what was sent; goes with a client_trade_id."""
    strategy_id: int | None = None
    counterparty_id: int | None = None

    @property
    def trade_date(self) -> date:
        return cast(date, self.terms.trade_date)

    @property
    def executed_at(self) -> datetime:
        return cast(datetime, self.terms.executed_at)


def new_trade_of(trade: Trade, fees: Sequence[Fee] = ()) -> NewTrade:
    """An unsaved model of a trade as the writer takes it."""
    terms = {
        t.name: getattr(trade, t.name)
        for t in TERMS
        if not t.is_reference and t.kind is not Kind.FEES
    }
    booking = Booking(
        account=trade.account.code, ticker=trade.instrument.ticker, fees=tuple(fees), **terms
    )
    return NewTrade(
        str(trade.pk),
        trade.account_id,
        trade.instrument_id,
        booking,
        strategy_id=trade.strategy_id,
        counterparty_id=trade.counterparty_id,
    )


def new_trade_id() -> UUID:
    """A UUIDv7: of two made by one process, the later one sorts later."""
    return UUID(bytes=uuid_utils.uuid7().bytes)


def new_trade_ids(count: int) -> list[str]:
    """So many of them as texts, in their order."""
    return sorted(str(uuid_utils.uuid7()) for _ in range(count))


def arrays_of(trades: Sequence[NewTrade], groups: Sequence[str] | None) -> dict[str, str]:
    """The columns of trades, and of their request groups, as PostgreSQL writes arrays: a text each
    is many times quicker to send than a list of objects."""
    texts: dict[str, Iterable[str]] = {
        term.column: [_text(term, getattr(new.terms, term.name)) for new in trades]
        for term in TERMS
        if not term.is_reference
    }
    texts["id"] = [new.id for new in trades]
    for column in _REFERENCES:
        texts[column] = [_or_null(getattr(new, column)) for new in trades]
    texts["terms_hash"] = [new.terms_hash or "NULL" for new in trades]
    texts["request_group_id"] = groups or ["NULL"] * len(trades)
    return {name: f"{{{','.join(values)}}}" for name, values in texts.items()}


def fee_arrays_of(fees: Iterable[tuple[str | None, Fee]]) -> dict[str, list[Any]]:
    """Fees, each with the id of its trade, as the statements take them."""
    said = list(fees)
    return {
        "fee_of": [trade_id for trade_id, _ in said],
        "fee_kind": [fee.kind for _, fee in said],
        "fee_amount": [fee.amount for _, fee in said],
        "fee_source": [fee.source for _, fee in said],
    }


def _or_null(number: int | None) -> str:
    return "NULL" if number is None else str(number)


def _text(term: Term, value: Any) -> str:
    """One element of an array."""
    if value is None:
        return "NULL"
    if term.kind is Kind.TEXT:
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    if term.kind is Kind.MOMENT:
        return str(value.isoformat())
    if term.kind is Kind.FEES:
        return str(total(value)) if value else "NULL"
    return str(value)
