"""Many trades cancelled for one reason, each by itself: what became of each is told."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser

from kernel.errors import ConfirmationRequired, DomainError
from trades.models import Side, Trade
from trades.services.correction import trade_cancel


@dataclass(frozen=True)
class Outcome:
    """`refused` says why the trade stands as it was; None when it is cancelled. Where guards ask,
    it is what they say, and the same again with `confirm` goes through."""

    trade_id: UUID
    refused: str | None
    confirm: str | None = None


def trades_cancel(
    *,
    user: AbstractBaseUser,
    versions: dict[UUID, int],
    reason: str,
    confirms: Mapping[UUID, str],
    now: datetime,
) -> list[Outcome]:
    """Cancel each trade at the version that the caller saw, in a transaction of its own; `confirms`
    has the tokens of those that guards asked about before, for the same reason. Sells go
    first: taking one back can make room for taking back a buy in an account that may not go short.
    Raises nothing that concerns one trade alone; the order of the answer is the order given."""
    made: dict[UUID, Outcome] = {}
    for trade_id in _sells_first(versions):
        try:
            trade_cancel(
                user=user,
                trade_id=trade_id,
                version=versions[trade_id],
                reason=reason,
                confirm=confirms.get(trade_id),
                now=now,
            )
        except ConfirmationRequired as asked:
            made[trade_id] = Outcome(trade_id, asked.detail, asked.token)
        except DomainError as error:
            made[trade_id] = Outcome(trade_id, error.detail)
        else:
            made[trade_id] = Outcome(trade_id, None)
    return [made[trade_id] for trade_id in versions]


def _sells_first(trade_ids: Iterable[UUID]) -> list[UUID]:
    ids = list(trade_ids)
    sells = set(Trade.objects.filter(pk__in=ids, side=Side.SELL).values_list("pk", flat=True))
    return sorted(ids, key=lambda each: each not in sells)
