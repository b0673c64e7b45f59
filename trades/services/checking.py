"""What a booking would do, before it is booked: nothing is written, nothing is asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.contrib.auth.models import AbstractBaseUser

from kernel.errors import FieldError, Invalid, NotEntitled
from kernel.pnl import signed
from trades.fee_kinds import cash_paid, total
from trades.guard_rules import Found
from trades.guards.judge import bookings_judge
from trades.services.batch import Batch, guarded
from trades.services.limits import ledger_sums
from trades.terms import Booking


@dataclass(frozen=True)
class Checked:
    """`before` and `after` are positions; the trade moves them by `moved`, which is another number
    than what is traded where it is of before a corporate action. `found` is what guards would say,
    and `refused` why it could not be booked whatever they say, as for going short."""

    account_id: int
    instrument_id: int
    terms: Booking
    before: Decimal
    moved: Decimal
    found: Sequence[Found]
    refused: Sequence[FieldError]

    @property
    def after(self) -> Decimal:
        return self.before + self.moved

    @property
    def notional(self) -> Decimal:
        return self.terms.quantity * self.terms.price

    def gain(self, mark: Decimal) -> Decimal:
        """What the trade would have gained at once: its position at the mark less what it cost."""
        return mark * self.moved - signed(self.terms.side, self.notional)

    @property
    def net_amount(self) -> Decimal:
        """Notional and fees, as cash paid: received is negative."""
        return cash_paid(signed(self.terms.side, self.notional), self.terms.fees)

    def net_gain(self, mark: Decimal) -> Decimal:
        """The same, less the fees."""
        return self.gain(mark) - total(self.terms.fees)


def trade_check(*, user: AbstractBaseUser, booking: Booking, now: datetime) -> Checked:
    """Raises Invalid where it could not even be understood, NotEntitled as booking does."""
    batch = Batch(user=user, bookings={0: booking}, accepted_at=now, now=now)
    batch.resolve()
    if batch.not_entitled:
        raise NotEntitled(f"You may not book in {', '.join(sorted(batch.not_entitled))}.")
    if batch.refused:
        raise Invalid(*batch.refused[0])
    new = batch.trades[0]
    key = new.account_id, new.instrument_id
    running = ledger_sums([key])[key]
    held = running.held
    moved = running.moved_by({new.trade_date: signed(new.terms.side, new.terms.quantity)})
    found: Sequence[Found] = ()
    if batch.guards:
        rows = {0: guarded(new)}
        versions = batch.guards_of(rows.values())
        said = bookings_judge(rows, versions, known=batch.sessions, accepted_at=now, now=now)
        found = said.get(0, ())
    batch.limit()
    return Checked(*key, new.terms, held, moved, found, batch.refused.get(0, []))
