"""Lists as one prepared statement whose rows orjson writes, behind our middleware and login.

A statement is the plainest that gives the same rows while nothing is out of the ordinary: no prices
by hand or carried, no reader behind, no late trades, one source, no corporate actions, no fees.
"""

import os
from typing import Any

import orjson
import psycopg
from django.db import connection
from django.http import HttpResponse
from psycopg.rows import dict_row
from rest_framework.request import Request
from rest_framework.views import APIView

from benchmarks.designs import PREVIOUS, SESSION


def _number(expression: str) -> str:
    """A number as answers have it: text without needless zeros."""
    return f"trim_scale({expression})::text"


# The account that was asked for, if the user may see it.
_ACCOUNT = """(
        SELECT a.id FROM accounts_account a JOIN accounts_entitlement r ON r.account_id = a.id
         WHERE a.code = %(account)s AND r.user_id = %(user)s AND r.can_view)"""
_PRICES = """
      LEFT JOIN prices_quote q ON q.instrument_id = i.id AND q.source = 'simulated'
      LEFT JOIN prices_close p ON p.instrument_id = i.id AND p.session = %(previous)s
            AND p.source = 'simulated'
"""
_POSITIONS = f"""
    SELECT %(account)s::text AS account, i.ticker, %(session)s::date AS session,
           i.currency, {_number("n.quantity")} AS quantity,
           {_number("c.cost / nullif(c.quantity, 0)")} AS average_cost,
           {_number("q.price")} AS price, q.as_of AS price_as_of,
           'quote' AS mark_source, q.source AS price_source,
           {_number("p.close")} AS previous_close, {_number("p.close")} AS previous_close_as_traded,
           {_number("n.quantity * q.price")} AS market_value,
           {_number("f.trade_pnl")} AS trade_pnl, {_number("f.position_pnl")} AS position_pnl,
           '0' AS action_pnl, {_number("f.trade_pnl + f.position_pnl")} AS total_pnl,
           {_number("coalesce(d.fees, 0)")} AS fees,
           {_number("f.trade_pnl + f.position_pnl - coalesce(d.fees, 0)")} AS net_pnl,
           {_number("c.realized_pnl")} AS realized_pnl,
           {_number("q.price * c.quantity - c.cost")} AS unrealized_pnl,
           '0' AS income, '{{}}'::text[] AS actions,
           f.trade_pnl + f.position_pnl IS NOT NULL AS pnl_valid, NULL AS pnl_reason, n.updated_at
      FROM positions_position n
      JOIN prices_instrument i ON i.id = n.instrument_id
      JOIN pnl_holding h ON h.account_id = n.account_id AND h.instrument_id = n.instrument_id
      LEFT JOIN pnl_dailyactivity d ON d.account_id = n.account_id AND d.trade_date = %(session)s
            AND d.instrument_id = n.instrument_id
      LEFT JOIN pnl_cost c ON c.account_id = n.account_id AND c.instrument_id = n.instrument_id
      {_PRICES}
     CROSS JOIN LATERAL (
        SELECT p.close * coalesce(d.quantity, 0) - coalesce(d.notional, 0) AS trade_pnl,
               (q.price - p.close) * h.quantity AS position_pnl) f
     WHERE n.account_id = {_ACCOUNT} AND n.quantity <> 0
     ORDER BY i.ticker COLLATE "C"
"""
_TRADES = f"""
    SELECT t.id, %(account)s::text AS account, i.ticker, t.side,
           {_number("t.quantity")} AS quantity, {_number("t.price")} AS price,
           t.trade_date, t.executed_at, t.executed_at <> t.booked_at OR t.trade_date =
           (t.booked_at AT TIME ZONE 'America/New_York')::date AS executed_at_known,
           t.booked_at, u.username AS booked_by, t.version,
           t.status, t.request_group_id AS request_group,
           t.client_trade_id, t.note, t.settlement_date, s.code AS strategy,
           w.code AS counterparty, t.order_id, '{{}}'::text[] AS fees,
           {_number("t.quantity * t.price * CASE t.side WHEN 'buy' THEN 1 ELSE -1 END")}
           AS net_amount, '{{}}'::text[] AS tags,
           {_number("(p.close - t.price) * CASE t.side WHEN 'buy' THEN t.quantity "
                    "ELSE -t.quantity END")} AS trade_pnl, p.close IS NOT NULL AS pnl_valid
      FROM (SELECT * FROM trades_trade WHERE account_id = {_ACCOUNT}
             ORDER BY id DESC LIMIT 100) t
      JOIN prices_instrument i ON i.id = t.instrument_id
      JOIN auth_user u ON u.id = t.booked_by_id
      LEFT JOIN accounts_strategy s ON s.id = t.strategy_id
      LEFT JOIN accounts_counterparty w ON w.id = t.counterparty_id
      LEFT JOIN prices_close p ON p.instrument_id = t.instrument_id AND p.session = %(previous)s
            AND p.source = 'simulated'
     ORDER BY t.id DESC
"""  # fmt: skip
_ALL_PRICES = f"""
    SELECT i.ticker, {_number("q.price")} AS price, q.as_of,
           extract(epoch FROM now() - q.as_of)::int AS age_seconds, false AS stale, q.source,
           false AS override, false AS doubtful, {_number("p.close")} AS previous_close
      FROM prices_instrument i
      {_PRICES}
     WHERE q.price IS NOT NULL
     ORDER BY i.ticker COLLATE "C"
"""
_BY_ACCOUNT = f"""
    SELECT d.session, %(account)s::text AS account, 'USD' AS currency,
           {_number("sum(d.trade_pnl)")} AS trade_pnl,
           {_number("sum(d.position_pnl)")} AS position_pnl,
           {_number("sum(d.action_pnl)")} AS action_pnl,
           {_number("sum(d.trade_pnl + d.position_pnl + d.action_pnl)")} AS total_pnl,
           {_number("sum(d.fees)")} AS fees,
           {_number("sum(d.trade_pnl + d.position_pnl + d.action_pnl - d.fees)")} AS net_pnl,
           '0' AS correction_pnl,
           bool_and(d.is_final) AS is_final, count(d.pnl_reason) = 0 AS pnl_valid,
           max(d.pnl_reason) AS pnl_reason, count(d.pnl_reason) AS invalid_rows,
           max(d.calculated_at) AS calculated_at, max(d.restated_at) AS restated_at
      FROM pnl_dailypnl d
     WHERE d.account_id = {_ACCOUNT} AND d.session BETWEEN %(from)s AND %(to)s
     GROUP BY d.session ORDER BY d.session
"""
_BY_TICKER = f"""
    SELECT d.session, %(account)s::text AS account, i.ticker,
           {_number("d.opening_quantity")} AS opening_quantity,
           {_number("d.closing_quantity")} AS closing_quantity,
           {_number("d.previous_close")} AS previous_close,
           {_number("coalesce(d.previous_close_as_traded, d.previous_close)")}
           AS previous_close_as_traded,
           {_number("d.mark")} AS mark, '{{}}'::text[] AS actions, i.currency,
           {_number("d.trade_pnl")} AS trade_pnl, {_number("d.position_pnl")} AS position_pnl,
           {_number("d.action_pnl")} AS action_pnl,
           {_number("d.trade_pnl + d.position_pnl + d.action_pnl")} AS total_pnl,
           {_number("d.fees")} AS fees,
           {_number("d.trade_pnl + d.position_pnl + d.action_pnl - d.fees")} AS net_pnl,
           '0' AS correction_pnl,
           d.is_final, d.pnl_reason IS NULL AS pnl_valid, d.pnl_reason,
           (d.pnl_reason IS NOT NULL)::int AS invalid_rows, d.calculated_at, d.restated_at
      FROM pnl_dailypnl d JOIN prices_instrument i ON i.id = d.instrument_id
     WHERE d.account_id = {_ACCOUNT} AND d.session BETWEEN %(from)s AND %(to)s
     ORDER BY d.session, i.ticker COLLATE "C" LIMIT 1000
"""
_STATEMENTS = {
    ("positions", ""): _POSITIONS,
    ("trades", ""): _TRADES,
    ("prices", ""): _ALL_PRICES,
    ("pnl", "account"): _BY_ACCOUNT,
    ("pnl", "ticker"): _BY_TICKER,
}


class BareView(APIView):
    """The list of this name, for the query that the API's own list takes."""

    def get(self, request: Request, name: str) -> HttpResponse:
        asked = request.query_params.dict()
        params = {
            **asked,
            "user": request.user.pk,
            "session": os.environ[SESSION],
            "previous": os.environ[PREVIOUS],
        }
        rows = _rows(_STATEMENTS[name, asked.get("by", "")], params)
        answer = {"next": None, "previous": None, "results": rows}
        content = orjson.dumps(answer, option=orjson.OPT_UTC_Z)
        return HttpResponse(content, content_type="application/json")


def _rows(statement: str, params: dict[str, Any]) -> list[dict[str, Any]]:
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection, row_factory=dict_row) as cursor:
        cursor.execute(statement.encode(), params, prepare=True)
        return cursor.fetchall()
