"""A desk's right numbers, in lists and loops: no ledger, no projection, nothing incremental.

Every figure is computed from all versions of all trades each time it is asked for. Exchange time is
New York in the two weeks used, four hours behind UTC.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from uuid import UUID

ZERO = Decimal(0)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
OFFSET = timedelta(hours=4)
Key = tuple[str, str]
ACCOUNTS, TICKERS = ("Test1", "Test2"), ("IBM", "XOM")
KEYS = [(account, ticker) for account in ACCOUNTS for ticker in TICKERS]


@dataclass(frozen=True)
class Terms:
    account: str
    ticker: str
    quantity: Decimal
    price: Decimal
    trade_date: date
    executed_at: datetime
    fee: Decimal = ZERO


def by_average_cost(fills: Iterable[tuple[Decimal, ...]]) -> tuple[Decimal, Decimal, Decimal]:
    """Quantity, cost and realized P&L, of quantities, prices and perhaps fees: of each trade first
    what closes, then what opens."""
    held = cost = realized = ZERO
    for quantity, price, *fees in fills:
        fee = sum(fees, ZERO)
        closed = of_closed = ZERO
        if held and (held > 0) != (quantity > 0):
            closed = max(-abs(held), -abs(quantity)) * (1 if held > 0 else -1)
            share = (cost * -closed / held).quantize(Decimal("0.000001"), ROUND_HALF_EVEN)
            relieved = cost if closed == -held else min(share, cost, key=abs)
            share = (fee * closed / quantity).quantize(Decimal("0.000001"), ROUND_HALF_EVEN)
            of_closed = fee if closed == quantity else min(share, fee, key=abs)
            realized += -closed * price - of_closed - relieved
            held, cost = held + closed, cost - relieved
        held, cost = held + quantity - closed, cost + (quantity - closed) * price + fee - of_closed
    return held, cost, realized


@dataclass
class Model:
    """`trades` has each version with when it was recorded; no terms: cancelled. `first` is the
    first trade date there can be; it and the day before have closes."""

    first: date
    trades: dict[UUID, list[tuple[datetime, Terms | None]]] = field(default_factory=dict)
    closes: dict[tuple[str, date], Decimal] = field(default_factory=dict)
    quotes: dict[str, tuple[Decimal, datetime]] = field(default_factory=dict)
    closed: set[date] = field(default_factory=set)
    early: set[date] = field(default_factory=set)
    snapshots: dict[date, dict[Key, tuple[Decimal, Decimal]]] = field(default_factory=dict)

    # --- time -----------------------------------------------------------------------------------

    def is_session(self, day: date) -> bool:
        return day.weekday() < 5 and day not in self.closed

    def end(self, day: date) -> datetime:
        return datetime.combine(day, time(13 if day in self.early else 16), UTC) + OFFSET

    def before(self, day: date) -> date:
        while not self.is_session(day := day - timedelta(days=1)):
            pass
        return day

    def business_date(self, now: datetime) -> date:
        return self.before((now - OFFSET).date() + timedelta(days=1))

    def sessions(self, last: date, first: date | None = None) -> list[date]:
        day, found = first or self.first, []
        while day <= last:
            found += [day] if self.is_session(day) else []
            day += timedelta(days=1)
        return found

    # --- what stands ----------------------------------------------------------------------------

    def standing(self, key: Key, until: date, known: datetime) -> list[Terms]:
        """In the order of costing."""
        found = []
        for trade, versions in self.trades.items():
            terms = [terms for recorded, terms in versions if recorded <= known][-1:]
            if terms and terms[0] and (terms[0].account, terms[0].ticker) == key:
                found += [(terms[0].trade_date, terms[0].executed_at, trade, terms[0])]
        return [terms for *_, terms in sorted(found) if terms.trade_date <= until]

    def quantity(self, key: Key, until: date, known: datetime) -> Decimal:
        return sum((t.quantity for t in self.standing(key, until, known)), ZERO)

    def cost(self, key: Key, until: date, known: datetime) -> tuple[Decimal, Decimal, Decimal]:
        standing = self.standing(key, until, known)
        return by_average_cost((t.quantity, t.price, t.fee) for t in standing)

    def fees(self, key: Key, day: date, known: datetime) -> Decimal:
        """Those of the trades of a session."""
        standing = self.standing(key, day, known)
        return sum((t.fee for t in standing if t.trade_date == day), ZERO)

    # --- P&L ------------------------------------------------------------------------------------

    def mark(self, ticker: str, day: date, now: datetime) -> Decimal:
        if day < self.business_date(now):
            return self.closes[ticker, day]
        price, at = self.quotes.get(ticker, (ZERO, LONG_AGO))
        if now >= self.end(day) and (ticker, day) in self.closes and at <= self.end(day):
            return self.closes[ticker, day]
        if (at - OFFSET).date() >= day:
            return price
        return self.closes[ticker, self.before(day)]

    def pnl(self, key: Key, day: date, known: datetime, now: datetime) -> tuple[Decimal, Decimal]:
        """Trade and position P&L of a session."""
        standing = self.standing(key, day, known)
        previous = self.closes[key[1], self.before(day)]
        trade = sum(
            ((previous - t.price) * t.quantity for t in standing if t.trade_date == day), ZERO
        )
        held = sum((t.quantity for t in standing), ZERO)
        return trade, (self.mark(key[1], day, now) - previous) * held

    def correction(self, key: Key, day: date, now: datetime) -> Decimal:
        """What was recorded between the end before and this end changed in all earlier sessions."""
        start, end = self.end(self.before(day)), min(self.end(day), now)
        change = ZERO
        for earlier in self.sessions(self.before(day)):
            change += sum(self.pnl(key, earlier, end, now)) - sum(
                self.pnl(key, earlier, start, now)
            )
        return change

    # --- snapshots ------------------------------------------------------------------------------

    def take_snapshots(self, now: datetime) -> None:
        """Of every session since the first booking that has ended and whose closes are there."""
        if not self.trades:
            return
        first = self.business_date(min(v[0][0] for v in self.trades.values()))
        for day in self.sessions(self.business_date(now), first):
            settled = self.end(day) <= now and all((t, day) in self.closes for t in TICKERS)
            if settled and day not in self.snapshots:
                held = {key: self.quantity(key, day, self.end(day)) for key in KEYS}
                self.snapshots[day] = {
                    key: (quantity, self.closes[key[1], day])
                    for key, quantity in held.items()
                    if quantity
                }
