"""Rows of a file that are probably booked already, though no id says so."""

from django.db import connection

from trades.services.batch import Batch


def likely_booked(batch: Batch) -> dict[int, str]:
    """By row, a trade that stands with the same account, instrument, side, quantity, price and
    trade date. Each trade is likened to one row only: a file may hold equal rows."""
    new = list(batch.trades.items())
    if not new:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT k.row, t.id FROM unnest(%s::int[], %s::bigint[], %s::bigint[], %s::text[],"
            " %s::numeric[], %s::numeric[], %s::date[])"
            " AS k (row, account, instrument, side, quantity, price, day)"
            " JOIN trades_trade t ON t.account_id = k.account AND t.trade_date = k.day"
            " AND t.instrument_id = k.instrument AND t.side = k.side"
            " AND t.quantity = k.quantity AND t.price = k.price AND t.status <> 'cancelled'"
            " ORDER BY k.row, t.id LIMIT 10000",
            [
                [row for row, _ in new],
                [trade.account_id for _, trade in new],
                [trade.instrument_id for _, trade in new],
                [trade.terms.side for _, trade in new],
                [trade.terms.quantity for _, trade in new],
                [trade.terms.price for _, trade in new],
                [trade.trade_date for _, trade in new],
            ],
        )
        pairs = cursor.fetchall()
    found: dict[int, str] = {}
    taken: set[object] = set()
    for row, trade in pairs:
        if row not in found and trade not in taken:
            found[row] = str(trade)
            taken.add(trade)
    return found
