"""Recompute from the trades as they are now, on a path that the readers do not use.

A projection has read the ledger up to its checkpoint, so what it holds plus what lies beyond the
checkpoint must equal the sums over the current trades. All functions run in the caller's
transaction, which must be one REPEATABLE READ snapshot.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection

from trades.ledger.sql import (
    BEYOND,
    BEYOND_CHECKPOINT,
    ENTRIES_AND_CHECKPOINTS,
    IS_STANDING,
    STANDING,
    STANDING_ROWS,
    SUMS,
    added_by,
    sums_of,
)
from trades.ledger.sum_projection import SumTable


@dataclass(frozen=True)
class Break:
    """One number that is not what it should be."""

    what: str
    key: str
    found: Decimal | None
    expected: Decimal | None
    account_id: int | None = None
    consumer: str = ""

    def __str__(self) -> str:
        return f"{self.what} {self.key}: found {self.found}, expected {self.expected}"


def breaks_of(
    what: str, sql: str, consumer: str = "", params: Mapping[str, Any] | None = None
) -> list[Break]:
    """Run a query that gives (account id, instrument id, detail, found, expected) where they
    differ; name the keys. `consumer` is whose rebuild would mend them, and a parameter, too."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT concat_ws(' ', a.code, i.ticker, d.detail), d.found, d.expected, a.id
              FROM ({sql}) AS d (account_id, instrument_id, detail, found, expected)
              LEFT JOIN accounts_account a ON a.id = d.account_id
              LEFT JOIN prices_instrument i ON i.id = d.instrument_id
             ORDER BY 1
            """,
            {"consumer": consumer, **(params or {})},
        )
        return [
            Break(what, key, found, expected, account, consumer)
            for key, found, expected, account in cursor.fetchall()
        ]


def ledger_breaks() -> list[Break]:
    """Trades whose entries do not sum to their current terms, and versions with gaps."""
    standing = ", ".join(
        f"CASE WHEN {IS_STANDING} THEN {added} ELSE 0 END AS {name}"
        for name, added in added_by().items()
    )
    found = ", ".join(f"coalesce(e.{name}, 0)" for name in SUMS)
    expected = ", ".join(f"t.{name}" for name in SUMS)
    entries = breaks_of(
        "ledger entries of trade",
        f"""
        SELECT t.account_id, t.instrument_id, t.id::text,
               coalesce(e.quantity, 0), coalesce(t.quantity, 0)
          FROM (SELECT id, account_id, instrument_id, trade_date, {standing}
                  FROM trades_trade) t
          LEFT JOIN LATERAL (
            SELECT {sums_of("e")}, sum(quantity) FILTER (WHERE e.account_id = t.account_id
                       AND e.instrument_id = t.instrument_id
                       AND e.trade_date = t.trade_date) AS here
              FROM trades_ledgerentry e WHERE e.trade_id = t.id
          ) e ON true
         WHERE ({found}, coalesce(e.here, 0)) <> ({expected}, t.quantity)
        """,
    )
    versions = breaks_of(
        "versions of trade",
        """
        SELECT t.account_id, t.instrument_id, t.id::text, count(v.version), t.version
          FROM trades_trade t LEFT JOIN trades_tradeversion v ON v.trade_id = t.id
         GROUP BY t.id
        HAVING count(v.version) <> t.version OR max(v.version) IS DISTINCT FROM t.version
        """,
    )
    return entries + versions + fee_breaks()


def fee_breaks() -> list[Break]:
    """Trades and versions whose sum of fees is not that of the fees that they have."""
    paid = "SELECT trade_id, version, sum(amount) AS fees FROM trades_versionfee GROUP BY 1, 2"
    return [
        found
        for what, table, trade in (
            ("trade", "trades_trade", "id"),
            ("version", "trades_tradeversion", "trade_id"),
        )
        for found in breaks_of(
            f"fees of {what}",
            f"""
            SELECT t.account_id, t.instrument_id, concat(t.{trade}, ' v', t.version), t.fees, f.fees
              FROM {table} t
              LEFT JOIN ({paid}) f ON f.trade_id = t.{trade} AND f.version = t.version
             WHERE (t.fees IS NOT NULL OR f.fees IS NOT NULL)
               AND t.fees IS DISTINCT FROM f.fees
            """,
        )
    ]


def table_breaks(table: SumTable, consumer: str) -> list[Break]:
    """Sums of a consumer's table that are not those of the trades that stand, less what lies beyond
    its checkpoint."""
    key = ", ".join(table.key)
    detail = ", ".join(f"{k}::text" for k in table.key if k not in ("account_id", "instrument_id"))
    found: list[Break] = []
    for column in table.sums:
        right = f"coalesce(s.{column}, 0) - coalesce(b.{column}, 0)"
        found += breaks_of(
            f"{table.table.partition('_')[2]}, {column}",
            f"""
            WITH standing AS (
                SELECT {table.summed} FROM ({STANDING_ROWS}) e GROUP BY {table.grouped}
            ), beyond AS (
                SELECT {table.summed} FROM {ENTRIES_AND_CHECKPOINTS}
                 WHERE {BEYOND_CHECKPOINT} GROUP BY {table.grouped}
            )
            SELECT account_id, instrument_id, concat_ws(' ', {detail}), coalesce(p.{column}, 0),
                   {right}
              FROM {table.table} p
              FULL JOIN standing s USING ({key})
              FULL JOIN beyond b USING ({key})
             WHERE coalesce(p.{column}, 0) <> {right}
            """,
            consumer,
        )
    return found


def quantity_breaks(what: str, table: str, consumer: str) -> list[Break]:
    """Keys of a projection of quantities that differ from the standing trades."""
    return breaks_of(
        what,
        f"""
        WITH standing AS ({STANDING}), beyond AS ({BEYOND})
        SELECT account_id, instrument_id, NULL,
               coalesce(p.quantity, 0), coalesce(s.quantity, 0) - coalesce(b.quantity, 0)
          FROM {table} p
          FULL JOIN (SELECT account_id, instrument_id, sum(quantity) AS quantity
                       FROM standing GROUP BY 1, 2) s USING (account_id, instrument_id)
          FULL JOIN (SELECT account_id, instrument_id, sum(quantity) AS quantity
                       FROM beyond GROUP BY 1, 2) b USING (account_id, instrument_id)
         WHERE coalesce(p.quantity, 0) <> coalesce(s.quantity, 0) - coalesce(b.quantity, 0)
        """,
        consumer,
    )
