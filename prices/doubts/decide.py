"""A person releases prices that were held back, or refuses them: any number of them at once."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from kernel.errors import Conflict, FieldError, Invalid
from kernel.locks import Lock, transaction_lock
from prices.closes.runs import runs_settle
from prices.closes.write import doubts_overtake
from prices.models import Close, CloseDoubt
from prices.notify import closes_written, publish_changed
from prices.quotes.write import quotes_insert

Kind, State = CloseDoubt.Kind, CloseDoubt.State
MOST_AT_ONCE = 5_000


class DoubtDecided(Conflict):
    code = "already_decided"
    detail = "This was decided already."


@transaction.atomic
def doubts_decide(
    *, user: User, ids: Collection[int], release: bool, reason: str, now: datetime
) -> list[CloseDoubt]:
    """Release these prices, which then count, or refuse them, which then never do; all or none.

    A released close is recorded as the source's, and P&L that used another is restated; a released
    quote is the last one, unless a newer has come. What has the same decision already stays as it
    is: a second call is harmless. Raises Invalid, and DoubtDecided where one was decided otherwise.
    """
    wanted = State.RELEASED if release else State.REFUSED
    if not reason.strip():
        raise Invalid(FieldError("blank", "Say why.", "reason"))
    transaction_lock(Lock.CLOSES_WRITE)
    doubts = list(
        CloseDoubt.objects.select_for_update(of=("self",), no_key=True)
        .select_related("instrument")
        .filter(pk__in=ids)
        .order_by("pk")
    )
    _refuse_unknown(ids, doubts)
    _refuse_decided(doubts, wanted)
    held = [doubt for doubt in doubts if doubt.state == State.HELD]
    for doubt in held:
        doubt.state, doubt.decided_at = wanted, now
        doubt.decided_by, doubt.reason = user, reason.strip()
    CloseDoubt.objects.filter(pk__in=[doubt.pk for doubt in held]).update(
        state=wanted, decided_at=now, decided_by=user, reason=reason.strip()
    )
    if release:
        _release(held, now)
    closes = [doubt for doubt in held if doubt.kind != Kind.QUOTE]
    closes_written((doubt.instrument_id, doubt.session) for doubt in closes)
    publish_changed(doubt.instrument_id for doubt in held)
    runs_settle(days={d.session for d in closes}, now=now, source=settings.PRICE_SOURCE)
    return doubts


def _release(doubts: Sequence[CloseDoubt], now: datetime) -> None:
    closes = [doubt for doubt in doubts if doubt.kind != Kind.QUOTE]
    Close.objects.bulk_create(
        Close(
            instrument_id=doubt.instrument_id,
            session=doubt.session,
            source=doubt.source,
            close=doubt.price,
        )
        for doubt in closes
    )
    for doubt in closes:
        others = CloseDoubt.objects.filter(
            instrument=doubt.instrument_id, session=doubt.session, source=doubt.source
        )
        doubts_overtake(others, reason="The close was released.", now=now)
    for source in {doubt.source for doubt in doubts}:
        quotes_insert(
            source,
            [
                (doubt.instrument_id, doubt.price, doubt.as_of)
                for doubt in doubts
                if doubt.source == source and doubt.as_of is not None
            ],
        )


def _refuse_unknown(ids: Collection[int], doubts: Sequence[CloseDoubt]) -> None:
    unknown = sorted(set(ids) - {doubt.pk for doubt in doubts})
    if unknown:
        detail = f"There is no such doubt: {', '.join(map(str, unknown[:20]))}."
        raise Invalid(FieldError("unknown", detail, "ids"))


def _refuse_decided(doubts: Sequence[CloseDoubt], wanted: CloseDoubt.State) -> None:
    decided = [doubt for doubt in doubts if doubt.state not in (State.HELD, wanted)]
    if decided:
        listed = ", ".join(f"{d.instrument.ticker} {d.session} ({d.state})" for d in decided[:20])
        raise DoubtDecided(f"Decided already: {listed}. Nothing was changed.")
