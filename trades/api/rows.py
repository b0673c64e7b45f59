"""The row of a trade, the same over REST and websocket."""

from kernel.api.rows import Row, moment, text
from trades.models import Trade, TradeVersion
from trades.selectors import TradeRow, trade_rows


def trade_row(trade: TradeRow) -> Row:
    return {
        "id": str(trade.id),
        "account": trade.account,
        "ticker": trade.ticker,
        "side": trade.side,
        "quantity": text(trade.quantity),
        "price": text(trade.price),
        "trade_date": trade.trade_date.isoformat(),
        "executed_at": moment(trade.executed_at),
        "booked_at": moment(trade.booked_at),
        "booked_by": trade.booked_by,
        "version": trade.version,
        "status": trade.status,
        "request_group": None if trade.request_group is None else str(trade.request_group),
        "client_trade_id": trade.client_trade_id,
        "note": trade.note,
        "trade_pnl": text(trade.trade_pnl),
        "pnl_valid": trade.pnl_valid,
    }


def trade_out(trade: Trade) -> Row:
    """The row of one trade that was just read or written."""
    return trade_row(trade_rows([trade])[0])


def version_row(version: TradeVersion) -> Row:
    """Of a version that was read with account, instrument and actor."""
    return {
        "version": version.version,
        "status": version.status,
        "account": version.account.code,
        "ticker": version.instrument.ticker,
        "side": version.side,
        "quantity": text(version.quantity),
        "price": text(version.price),
        "trade_date": version.trade_date.isoformat(),
        "executed_at": moment(version.executed_at),
        "note": version.note,
        "actor": version.actor.get_username(),
        "reason": version.reason,
        "recorded_at": moment(version.recorded_at),
    }
