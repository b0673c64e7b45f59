"""Projections that are sums of ledger entries by key: how they are applied, and rebuilt.

Sums commute, so batches may come in any order. `last_entry`, where a table keeps it, is the id of
the key's last entry in the reading order: two tables that name the same one hold the same entries.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db.backends.utils import CursorWrapper

from trades.ledger import sql
from trades.ledger.projection import KINDS, Batch, Place


@dataclass(frozen=True)
class Scope:
    """The scope of a rebuild: a shard's entries up to a checkpoint, of all or some accounts."""

    shard: int
    upto: Place
    shards: int
    accounts: list[int] | None = None

    ENTRIES = (
        f"e.shard = %(shard)s AND {sql.up_to(sql.place('upto'))}"
        " AND (%(accounts)s::bigint[] IS NULL OR e.account_id = ANY(%(accounts)s::bigint[]))"
    )
    ROWS = (
        "r.account_id %% %(shards)s = %(shard)s"
        " AND (%(accounts)s::bigint[] IS NULL OR r.account_id = ANY(%(accounts)s::bigint[]))"
    )

    @property
    def params(self) -> dict[str, Any]:
        return {
            "shard": self.shard,
            "shards": self.shards,
            **self.upto.params("upto"),
            "accounts": self.accounts,
        }


@dataclass(frozen=True)
class Bounds:
    """The entries that a survey compares with: those of all shards up to the checkpoints that its
    own snapshot sees, of all or some accounts."""

    upto: Sequence[Place]
    """By shard."""
    accounts: list[int] | None = None

    # Arrays of constants, not a join with the checkpoints: a join is not planned in parallel.
    ENTRIES = (
        sql.up_to(
            "((%(epochs)s::int[])[e.shard + 1],"
            " (%(txids)s::text[]::xid8[])[e.shard + 1], (%(ids)s::bigint[])[e.shard + 1])"
        )
        + " AND (%(accounts)s::bigint[] IS NULL OR e.account_id = ANY(%(accounts)s::bigint[]))"
    )
    ROWS = "(%(accounts)s::bigint[] IS NULL OR r.account_id = ANY(%(accounts)s::bigint[]))"

    @property
    def params(self) -> dict[str, Any]:
        return {
            "epochs": [place.epoch for place in self.upto],
            "txids": [place.txid for place in self.upto],
            "ids": [place.id for place in self.upto],
            "accounts": self.accounts,
        }


@dataclass(frozen=True)
class Rebuilt:
    """Rows of a table: right ones in all, written because they differed, removed as groundless."""

    rows: int = 0
    written: int = 0
    removed: int = 0

    def __add__(self, other: "Rebuilt") -> "Rebuilt":
        return Rebuilt(
            self.rows + other.rows, self.written + other.written, self.removed + other.removed
        )


@dataclass(frozen=True)
class SumTable:
    """A table with one row a key and sums of entries in it. Account comes first in the key. `made`
    says what of an entry `e` is keyed by or summed where no column of it has that name."""

    table: str
    key: Sequence[str]
    sums: Sequence[str]
    last_entry: bool = True
    stamps: Mapping[str, str] | None = None
    made: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def _columns(self) -> list[str]:
        return [*self.sums, *(["last_entry"] if self.last_entry else [])]

    @cached_property
    def _stamps(self) -> Mapping[str, str]:
        return self.stamps or {}

    @cached_property
    def summed(self) -> str:
        """The SELECT list of keys and sums over entries `e`; the caller adds FROM and WHERE."""
        keys = [f"{self._of_entry(k)} AS {k}" for k in self.key]
        return ", ".join([*keys, *(f"sum({self._of_entry(c)}) AS {c}" for c in self.sums)])

    @cached_property
    def _summed(self) -> str:
        return f"{self.summed}, {sql.LAST_ENTRY} AS last_entry" if self.last_entry else self.summed

    def _of_entry(self, column: str) -> str:
        return self.made.get(column, f"e.{column}")

    @cached_property
    def grouped(self) -> str:
        """The places of the key in `summed`: what is made of an entry is said once."""
        return ", ".join(str(n + 1) for n in range(len(self.key)))

    def applying(self, where: str, name: str) -> str:
        """Two CTEs: `name`, the sums of the entries `e` there, and `name`_added, which adds them;
        a key's first entry makes its row. `entries` of the first says how many there were."""
        key = ", ".join(self.key)
        written = [*self.key, *self._columns, *self._stamps]
        values = [*(f"t.{c}" for c in (*self.key, *self._columns)), *self._stamps.values()]
        changes = [f"{c} = r.{c} + excluded.{c}" for c in self.sums]
        changes += [f"{c} = excluded.{c}" for c in written if c not in (*self.key, *self.sums)]
        return (
            f"{name} AS MATERIALIZED (SELECT {self._summed}, count(*) AS entries"
            f"  FROM trades_ledgerentry e WHERE {where} GROUP BY {self.grouped}),"
            f" {name}_added AS (INSERT INTO {self.table} AS r ({', '.join(written)})"
            f"  SELECT {', '.join(values)} FROM {name} t"
            f"  ON CONFLICT ({key}) DO UPDATE SET {', '.join(changes)})"
        )

    @cached_property
    def _rebuild(self) -> str:
        key = ", ".join(self.key)
        written = [*self.key, *self._columns, *self._stamps]
        values = [*(f"t.{c}" for c in (*self.key, *self._columns)), *self._stamps.values()]
        changes = [f"{c} = excluded.{c}" for c in written if c not in self.key]
        right = ", ".join(f"t.{c}" for c in self._columns)
        stored = ", ".join(f"r.{c}" for c in self._columns)
        there = f"t.{self._columns[0]} IS NOT NULL"
        # One pass joins what should be with what is; what is right is not touched.
        return (
            f"WITH truth AS MATERIALIZED (SELECT {self._summed} FROM trades_ledgerentry e"
            f"  WHERE {Scope.ENTRIES} GROUP BY {self.grouped}),"
            f" wrong AS MATERIALIZED (SELECT {key}, {right}, {there} AS there FROM truth t"
            f"  FULL JOIN (SELECT * FROM {self.table} r WHERE {Scope.ROWS}) r USING ({key})"
            f"  WHERE ({stored}) IS DISTINCT FROM ({right})),"
            f" written AS (INSERT INTO {self.table} ({', '.join(written)})"
            f"  SELECT {', '.join(values)} FROM wrong t WHERE there"
            f"  ON CONFLICT ({key}) DO UPDATE SET {', '.join(changes)} RETURNING 1),"
            f" removed AS (DELETE FROM {self.table} r USING wrong t WHERE NOT t.there"
            f"  AND ({', '.join(f't.{k}' for k in self.key)})"
            f" = ({', '.join(f'r.{k}' for k in self.key)}) RETURNING 1)"
            " SELECT (SELECT count(*) FROM truth), (SELECT count(*) FROM written),"
            " (SELECT count(*) FROM removed)"
        )

    @cached_property
    def _survey(self) -> str:
        right = ", ".join(f"t.{c}" for c in self._columns)
        stored = ", ".join(f"r.{c}" for c in self._columns)
        there = f"t.{self._columns[0]} IS NOT NULL"
        return (
            f"SELECT account_id, count(*) FILTER (WHERE {there}),"
            f" count(*) FILTER (WHERE {there} AND ({stored}) IS DISTINCT FROM ({right})),"
            f" count(*) FILTER (WHERE NOT {there})"
            f"  FROM (SELECT {self._summed} FROM trades_ledgerentry e"
            f"         WHERE {Bounds.ENTRIES} GROUP BY {self.grouped}) t"
            f"  FULL JOIN (SELECT * FROM {self.table} r WHERE {Bounds.ROWS}) r"
            f" USING ({', '.join(self.key)}) GROUP BY account_id"
        )

    def survey(self, cursor: CursorWrapper, bounds: Bounds) -> dict[int, Rebuilt]:
        """The differences that a rebuild would find, by account id; writes nothing and needs no
        lock. One parallel pass over the ledger."""
        cursor.execute(self._survey, bounds.params)
        return {account: Rebuilt(*counts) for account, *counts in cursor.fetchall()}

    def rebuild(self, cursor: CursorWrapper, scope: Scope) -> Rebuilt:
        """Compute the scope anew and write only what differs. The checkpoint must be locked."""
        cursor.execute(self._rebuild, scope.params)
        return Rebuilt(*cursor.fetchone())


@dataclass(frozen=True)
class SumProjection:
    """Tables that are kept under one checkpoint, and so are never torn apart."""

    name: str
    tables: Sequence[SumTable]

    @cached_property
    def _apply(self) -> Mapping[type[Batch], str]:
        """The applying statement, by the kind of batch."""
        return {
            kind: f"WITH {', '.join(self.applying(kind))}"
            " SELECT coalesce(sum(entries), 0)::bigint FROM t0"
            for kind in KINDS
        }

    def applying(self, kind: type[Batch]) -> list[str]:
        """What one statement does with a batch, as CTEs: all tables' sums of it."""
        return [table.applying(kind.WHERE, f"t{n}") for n, table in enumerate(self.tables)]

    def apply(self, cursor: CursorWrapper, batch: Batch) -> int:
        """Add a batch's entries to the sums; the number of entries."""
        cursor.execute(self._apply[type(batch)], batch.params)
        return int(cursor.fetchone()[0])

    def survey(self, cursor: CursorWrapper, bounds: Bounds) -> dict[int, Rebuilt]:
        found: dict[int, Rebuilt] = {}
        for table in self.tables:
            for account, counts in table.survey(cursor, bounds).items():
                found[account] = found.get(account, Rebuilt()) + counts
        return found

    def rebuild(self, cursor: CursorWrapper, scope: Scope) -> Rebuilt:
        return sum((t.rebuild(cursor, scope) for t in self.tables), Rebuilt())
