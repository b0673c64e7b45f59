"""The callers' own ids: what has booked under them, and whether it is the same that is sent now."""

from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from kernel.errors import Conflict
from trades.bookings import sends_terms
from trades.models import TradeVersion
from trades.selectors import version_terms
from trades.terms import Booking


class ClientTradeIdTaken(Conflict):
    code = "client_trade_id_taken"
    detail = "This client_trade_id has booked a trade with other terms."


class MovedOutOfSight(Conflict):
    code = "moved_out_of_sight"
    detail = "This client_trade_id has booked a trade that is now in an account you may not view."


class Taken(NamedTuple):
    """The trade that an account's `client_trade_id` has booked, the hash of what was sent for it,
    and the account that it is in now."""

    account_id: int
    client_trade_id: str
    terms_hash: str
    trade_id: UUID
    account_now: int

    @property
    def key(self) -> tuple[int, str]:
        return self.account_id, self.client_trade_id


def ids_taken(keys: Collection[tuple[int, str]]) -> list[Taken]:
    """Those of these pairs of account id and client_trade_id that have booked a trade."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.account_id, c.client_trade_id, c.terms_hash, t.id, t.account_id"
            " FROM unnest(%s::bigint[], %s::text[]) AS k (account, mine)"
            " JOIN trades_clienttradeid c ON c.account_id = k.account"
            " AND c.client_trade_id = k.mine JOIN trades_trade t ON t.id = c.trade_id",
            [[account for account, _ in keys], [mine for _, mine in keys]],
        )
        return [Taken(*row) for row in cursor.fetchall()]


def sends_first_terms(booking: Booking, trade_id: UUID | str) -> bool:
    """True if the fields sent now say what version 1 says: a retry may leave out a default."""
    first = TradeVersion.objects.select_related("account", "instrument").get(
        trade_id=trade_id, version=1
    )
    return sends_terms(booking, version_terms(first))
