"""The row of a trade, the same over REST and websocket."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from kernel.api.rows import Row, moment, text
from trades.imports.reading.reading import Reading
from trades.models import AskedVersion, Import, Trade, TradeVersion
from trades.selectors import ANSWERED, TradeRow, executed_at_known, trade_rows, version_terms


def _plain(value: Any) -> Any:
    """A value of a trade as it stands in an answer."""
    write = _WRITERS.get(type(value))
    return value if write is None else write(value)


_WRITERS: dict[type, Callable[[Any], Any]] = {
    Decimal: text, datetime: moment, date: date.isoformat, UUID: str,
    list: lambda rows: [{name: _plain(value) for name, value in row.items()} for row in rows],
    tuple: list,
}  # fmt: skip


def trade_row(trade: TradeRow) -> Row:
    return {name: _plain(getattr(trade, name)) for name in ANSWERED}


def trade_values(trade: TradeRow) -> Row:
    """As `trade_row`, but for values that `kernel.api.rows.encoded` writes as they are: a third of
    its time, where thousands are written."""
    return dict(zip(ANSWERED, trade, strict=False))


def trade_out(trade: Trade) -> Row:
    """The row of one trade that was just read or written."""
    return trade_row(trade_rows([trade])[0])


def _told(version: TradeVersion) -> dict[str, Any]:
    terms = version_terms(version)
    return {**terms, "fees": [fee._asdict() for fee in terms["fees"]]}


def version_row(version: TradeVersion, asked: AskedVersion | None = None) -> Row:
    """The row of a version that was read with account, instrument, actor and trade, and what guards
    said of it."""
    known = executed_at_known(version.executed_at, version.trade.booked_at, version.trade_date)
    return {
        "version": version.version,
        "status": version.status,
        **{name: _plain(value) for name, value in _told(version).items()},
        "executed_at_known": known,
        "actor": version.actor.get_username(),
        "reason": version.reason,
        "recorded_at": moment(version.recorded_at),
        "asked": [] if asked is None else asked.found,
        "confirmed_by": asked.confirmed_by.get_username() if asked and asked.confirmed_by else None,
    }


def import_row(job: Import, now: datetime, groups: Sequence[UUID] | None) -> Row:
    """An import read with its users. Without `groups`, as while it runs, `request_groups` is left
    out: it may have ten thousand."""
    seconds = 0.0
    if job.started_at and not job.undo_reason:
        seconds = ((job.finished_at or now) - job.started_at).total_seconds()
    row: Row = {
        "id": str(job.pk),
        "state": job.state,
        "file_name": job.file_name,
        "size": job.size,
        "group_size": job.group_size,
        "dry_run": job.dry_run,
        "accepted_at": moment(job.accepted_at),
        "started_at": moment(job.started_at),
        "finished_at": moment(job.finished_at),
        "rows_total": job.rows_total,
        "rows_done": job.rows_done,
        "rows_booked": job.rows_booked,
        "rows_rejected": job.rows_rejected,
        "rows_passed_over": job.rows_passed_over,
        "passed_over": job.passed_over,
        "guards": job.guards,
        "rows_warned": job.rows_warned,
        "rows_held": job.rows_held,
        "reading": Reading.from_json(job.reading).told() if job.reading else None,
        "rejected_further": job.rejected_further,
        "rows_per_second": round(job.rows_done / seconds, 1) if seconds > 0 else None,
        "error": job.error,
        "undo_reason": job.undo_reason,
        "undone_by": job.undone_by.get_username() if job.undone_by else None,
        "trades_cancelled": job.trades_cancelled,
    }
    return row if groups is None else {**row, "request_groups": [str(g) for g in groups]}
