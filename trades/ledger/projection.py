"""Batches: entries that one statement has fixed, as every projection is given them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from django.db.backends.utils import CursorWrapper

from trades.ledger import sql
from trades.models import LEDGER_SHARDS


@dataclass(frozen=True)
class Place:
    """A place in the ledger's order. `txid` is text: it is compared in SQL only."""

    epoch: int
    txid: str
    id: int

    def as_texts(self) -> tuple[str, str, str]:
        return str(self.epoch), self.txid, str(self.id)

    def params(self, name: str) -> dict[str, Any]:
        """The parameters of `trades.ledger.sql.place(name)`."""
        return {f"{name}_epoch": self.epoch, f"{name}_txid": self.txid, f"{name}_id": self.id}


BEGINNING = Place(0, "0", 0)


class Batch(Protocol):
    """Every statement of a batch selects its entries `FROM trades_ledgerentry e WHERE` this, with
    these parameters. None of them asks for the horizon."""

    WHERE: ClassVar[str]
    SHARD: ClassVar[str]
    """The shard of an entry `e` of it: a constant where there is only one."""

    @property
    def params(self) -> dict[str, Any]: ...

    def upto_of(self, account: int) -> Place:
        """The place up to which it goes in the account's shard."""
        ...


@dataclass(frozen=True)
class Stretch:
    """The entries of one shard after `after`, up to and including `upto`."""

    shard: int
    after: Place
    upto: Place
    quarantined: tuple[int, ...] = ()

    WHERE: ClassVar[str] = (
        f"e.shard = %(shard)s AND {sql.after(sql.place('after'))}"
        f" AND {sql.up_to(sql.place('upto'))}"
        " AND e.account_id <> ALL(%(quarantined)s::bigint[])"
    )
    SHARD: ClassVar[str] = "%(shard)s"

    @property
    def params(self) -> dict[str, Any]:
        return {
            "shard": self.shard,
            **self.after.params("after"),
            **self.upto.params("upto"),
            "quarantined": list(self.quarantined),
        }

    def upto_of(self, account: int) -> Place:
        return self.upto


@dataclass(frozen=True)
class Handful:
    """A few entries of several shards, by their ids; in each shard without a gap from its
    checkpoint to `upto`, but for those of accounts in quarantine."""

    ids: tuple[int, ...]
    upto: Mapping[int, Place]

    WHERE: ClassVar[str] = "e.id = ANY(%(ids)s::bigint[])"
    SHARD: ClassVar[str] = "e.shard"

    @property
    def params(self) -> dict[str, Any]:
        return {"ids": list(self.ids)}

    def upto_of(self, account: int) -> Place:
        return self.upto[account % LEDGER_SHARDS]


KINDS: tuple[type[Batch], ...] = (Stretch, Handful)


class Projection(Protocol):
    """A projection: it keeps sums of the ledger. `apply` runs inside the batch's transaction,
    set-based, over the batch's entries only, gives the same sums in whatever order batches come,
    and returns how many entries it applied. The statements of a handful are prepared: their text is
    always one."""

    @property
    def name(self) -> str: ...

    def apply(self, cursor: CursorWrapper, batch: Batch) -> int: ...
