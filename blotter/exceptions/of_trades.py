"""Exceptions among the trades of a session: one statement each, over what was recorded in it."""

from typing import Any

from blotter.exceptions.kinds import (
    AMENDED,
    DUPLICATE,
    LATE,
    MOST,
    OFF_MARKET,
    OFF_PERCENT,
    Asked,
    Found,
)
from kernel import prepared
from prices.actions.read import actions_counting
from prices.marks import mark_params, marks_sql
from prices.references import reference_params, references_on, with_references
from prices.sessions import sessions
from trades.guard_rules import MINUTES, grouped, shown
from trades.terms import PAGE_ID

# The versions that were recorded in the session; `stands` if it is what the trade is now.
_RECORDED = """
    SELECT v.trade_id, v.version, v.account_id, v.instrument_id, v.side, v.quantity, v.price,
           v.trade_date, v.status, v.reason, v.recorded_at, v.actor_id,
           t.booked_at, t.request_group_id, t.client_trade_id,
           v.version = t.version AND v.status <> 'cancelled' AS stands
      FROM trades_tradeversion v JOIN trades_trade t ON t.id = v.trade_id
     WHERE v.recorded_at >= %(since)s AND v.recorded_at < %(until)s
       AND v.account_id = ANY(%(accounts)s::bigint[])
"""
_COLUMNS = """
    r.trade_id, r.version, a.code, i.ticker, u.username, r.recorded_at, r.side, r.quantity,
    r.price, r.trade_date, r.status, r.reason
"""
_NAMED = """
      JOIN accounts_account a ON a.id = r.account_id
      JOIN prices_instrument i ON i.id = r.instrument_id
      JOIN auth_user u ON u.id = r.actor_id
     ORDER BY r.recorded_at DESC, r.trade_id DESC LIMIT %(most)s
"""

_LATE = f"""
    WITH recorded AS ({_RECORDED})
    SELECT {_COLUMNS} FROM (
        SELECT * FROM recorded
         WHERE version = 1 AND trade_date < %(session)s AND booked_at >= %(since)s
           AND EXISTS (SELECT FROM trades_trade t
                        WHERE t.id = trade_id AND t.status <> 'cancelled')
    ) r {_NAMED}
"""
_AMENDED = f"""
    WITH recorded AS ({_RECORDED})
    SELECT {_COLUMNS} FROM (SELECT * FROM recorded WHERE version > 1) r {_NAMED}
"""
# As the guard looks at it: within so many minutes, not of the same batch or file, and without an
# id by which a program says that it means each.
_DUPLICATE = f"""
    WITH recorded AS ({_RECORDED}), of_batch AS (
        SELECT r.*, coalesce(g.import_job_id, r.request_group_id) AS batch
          FROM recorded r LEFT JOIN trades_requestgroup g ON g.id = r.request_group_id
         WHERE r.stands AND (r.client_trade_id IS NULL OR r.client_trade_id LIKE %(page)s)
    ), beside AS (
        SELECT *, lag(booked_at) OVER same AS before, lag(batch) OVER same AS batch_before,
               lag(trade_id) OVER same AS trade_before
          FROM of_batch
        WINDOW same AS (PARTITION BY account_id, instrument_id, side, quantity, price
                        ORDER BY booked_at, trade_id)
    )
    SELECT {_COLUMNS}, r.before, r.trade_before FROM (
        SELECT * FROM beside
         WHERE before >= booked_at - make_interval(mins => %(minutes)s::int)
           AND (batch IS NULL OR batch_before IS DISTINCT FROM batch)
    ) r {_NAMED}
"""
# On the business date beside the mark, in the terms of an ex-date, on past dates beside that
# session's close.
_OFF_MARKET = f"""
    WITH recorded AS MATERIALIZED ({_RECORDED}), mark AS MATERIALIZED ({
    with_references(
        marks_sql(
            "SELECT DISTINCT instrument_id FROM recorded"
            " WHERE trade_date >= %(business_date)s::date",
            acted=True,
        )
    )
}), beside AS (
        SELECT r.*, m.mark AS compared, NULL::date AS close_of
          FROM recorded r JOIN mark m ON m.instrument_id = r.instrument_id
         WHERE r.stands AND r.trade_date >= %(business_date)s::date
         UNION ALL
        SELECT r.*, c.close, r.trade_date
          FROM recorded r
          JOIN eqtrade_effective_closes(ARRAY(
                SELECT DISTINCT trade_date FROM recorded
                 WHERE trade_date < %(business_date)s::date), %(source)s) c
            ON c.instrument_id = r.instrument_id AND c.session = r.trade_date
         WHERE r.stands
    )
    SELECT {_COLUMNS}, r.compared, r.close_of FROM (
        SELECT * FROM beside
         WHERE price <> 0 AND abs(price - compared) * 100 > %(off)s::numeric * compared
    ) r {_NAMED}
"""


def late(asked: Asked) -> list[Found]:
    return [
        _found(LATE, row, f"{_terms(row)}, dated {row[9]}, was booked after that date.")
        for row in prepared.rows_planned(_LATE, _params(asked))
    ]


def amended(asked: Asked) -> list[Found]:
    return [
        _found(AMENDED, row, f"{row[10].capitalize()} to {_terms(row)}: {row[11]}")
        if row[10] != "cancelled"
        else _found(AMENDED, row, f"Cancelled: {_terms(row)}: {row[11]}")
        for row in prepared.rows_planned(_AMENDED, _params(asked))
    ]


def duplicates(asked: Asked) -> list[Found]:
    params = {**_params(asked), "minutes": MINUTES, "page": f"{PAGE_ID}%"}
    return [
        _found(
            DUPLICATE,
            row,
            f"{_terms(row)}: the same was booked at {row[12]:%H:%M:%S} UTC,"
            f" trade {str(row[13])[-8:]}.",
        )
        for row in prepared.rows_planned(_DUPLICATE, params)
    ]


def off_market(asked: Asked) -> list[Found]:
    known = sessions()
    today = known.business_date(asked.now)
    params = {
        **mark_params(asked.now, known=known),
        **reference_params(references_on(today, actions_counting(), known, asked.now)),
        **_params(asked),
        "off": OFF_PERCENT,
    }
    found = []
    for row in prepared.rows_planned(_OFF_MARKET, params):
        price, compared, close_of = row[8], row[12], row[13]
        percent = shown(abs(price - compared) * 100 / compared)
        where = "above" if price > compared else "below"
        name = "the mark" if close_of is None else f"the close of {close_of}"
        said = f"{_terms(row)} is {percent}% {where} {name}, {grouped(compared)}."
        found.append(_found(OFF_MARKET, row, said))
    return found


def _params(asked: Asked) -> dict[str, Any]:
    return {
        "session": asked.session,
        "since": asked.since,
        "until": asked.until,
        "accounts": list(asked.accounts),
        "most": MOST,
    }


def _terms(row: tuple[Any, ...]) -> str:
    return f"{row[6]} {grouped(row[7])} {row[3]} @ {grouped(row[8])}"


def _found(kind: str, row: tuple[Any, ...], detail: str) -> Found:
    trade, version, account, ticker, by, at = row[:6]
    return Found(
        kind=kind,
        key=f"{trade}:{version}",
        at=at,
        detail=detail[0].upper() + detail[1:],
        account=account,
        ticker=ticker,
        by=by,
        trade=str(trade),
        version=version,
    )
