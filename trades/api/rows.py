"""The row of a trade, the same over REST and websocket."""

from kernel.api.rows import Row, moment, text
from trades.selectors import TradeRow


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
