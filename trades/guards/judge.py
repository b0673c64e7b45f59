"""Trades before guards: what they say of rows that are booked, of new terms, of what is taken back.
Each is one statement, and none where no guard holds: `Account.guards_version` says so."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from kernel.pnl import signed
from prices.sessions import Sessions
from trades.guard_rules import (
    CODES,
    NO_MARK,
    PROBABLE_DUPLICATE,
    STALE_MARK,
    Found,
    Order,
    Rule,
    asked_only,
    judged,
    refusals,
    without_worse,
)
from trades.guards.facts import NOBODY, Asked, Facts, Key, One, facts_of, facts_of_one
from trades.models import Trade

_NOTHING = Decimal(0)
# What is taken back is compared with no price, and is no booking that could be there twice.
_TAKEN_BACK = tuple(c for c in CODES if c not in (PROBABLE_DUPLICATE, STALE_MARK, NO_MARK))


class Terms(NamedTuple):
    """The economic terms of one trade, as guards look at them."""

    account_id: int
    instrument_id: int
    ticker: str
    side: str
    quantity: Decimal
    price: Decimal
    trade_date: date
    has_own_id: bool = False

    @property
    def key(self) -> Key:
        return self.account_id, self.instrument_id

    @property
    def asked(self) -> Asked:
        return Asked(
            self.account_id, self.instrument_id, self.side, self.quantity, self.price,
            self.trade_date, self.has_own_id,
        )  # fmt: skip


def terms_of(trade: Trade) -> Terms:
    """A trade that was read with its instrument, as it stands."""
    return Terms(
        trade.account_id, trade.instrument_id, trade.instrument.ticker, trade.side, trade.quantity,
        trade.price, trade.trade_date,
    )  # fmt: skip


def _added(terms: Terms, sign: int = 1) -> dict[date, Decimal]:
    return {terms.trade_date: sign * signed(terms.side, terms.quantity)}


class Judgement:
    """Facts, and what they say of one trade after the other. `today` is the business date that
    lateness counts from."""

    def __init__(self, facts: Facts, known: Sessions, today: date) -> None:
        self.facts = facts
        self._known = known
        self._today = today
        self._held = dict(facts.held)
        self._acted = facts.acted
        self._late: dict[date, int] = {}

    def order(self, terms: Terms) -> Order:
        key = terms.key
        same = (*key, terms.side, terms.quantity, terms.price)
        acted = self._acted.get(key)
        again, last = (0, None) if terms.has_own_id else self.facts.again.get(same, (0, None))
        return Order(
            ticker=terms.ticker,
            side=terms.side,
            quantity=terms.quantity,
            price=terms.price,
            held=self._held.get(key, _NOTHING) if acted is None else acted.held,
            moved=None if acted is None else acted.moved_by(_added(terms)),
            compared=self.facts.compared(terms.instrument_id, terms.trade_date),
            late=self._sessions_late(terms.trade_date),
            again=again,
            last=last,
        )

    def say(self, terms: Terms) -> list[Found]:
        """What guards say of a booking."""
        rules = self.rules(terms)
        return judged(self.order(terms), rules) if rules else []

    def rules(self, terms: Terms) -> Mapping[str, Rule]:
        return self.facts.rules.get(terms.account_id, {})

    def add(self, terms: Terms, sign: int = 1) -> None:
        """What comes after is judged with this trade held (`sign` = 1), or taken back (-1)."""
        key = terms.key
        if (acted := self._acted.get(key)) is not None:
            acted.add(_added(terms, sign))
            return
        moved = sign * signed(terms.side, terms.quantity)
        self._held[key] = self._held.get(key, _NOTHING) + moved

    def _sessions_late(self, day: date) -> int:
        if day >= self._today:
            return 0
        if day not in self._late:
            self._late[day] = len(self._known.sessions_between(day, self._today)) - 1
        return self._late[day]


def bookings_judge(
    rows: Mapping[int, Terms],
    versions: Mapping[int, int],
    *,
    known: Sessions,
    accepted_at: datetime,
    now: datetime,
    job: UUID = NOBODY,
) -> dict[int, list[Found]]:
    """What guards say of each of these rows, which count in order: of what a refused one would
    have changed nothing counts for those after it. `versions` are the `guards_version` of their
    accounts. At most one statement."""
    asked = [terms.asked for terms in rows.values()]
    if len(asked) == 1 and job == NOBODY:
        (version,) = versions.values()
        facts = facts_of_one(One(asked[0], version, known, now))
    else:
        facts = facts_of(asked, versions, known=known, now=now, job=job)
    judgement = Judgement(facts, known, known.business_date(accepted_at))
    said: dict[int, list[Found]] = {}
    for number, terms in rows.items():
        if found := judgement.say(terms):
            said[number] = found
        if not refusals(found):
            judgement.add(terms)
    return said


def amendment_judge(
    before: Terms,
    after: Terms,
    versions: Mapping[int, int],
    *,
    trade_id: UUID,
    known: Sessions,
    now: datetime,
) -> list[Found]:
    """What guards say of new terms in the place of old ones. What only takes away of what is held,
    and what is no worse than it was, is asked about and not refused. One statement."""
    asked = [each.asked for each in (after, before) if each.account_id in versions]
    facts = facts_of(asked, versions, known=known, now=now, but=[trade_id])
    judgement = Judgement(facts, known, known.business_date(now))
    held = facts.held.get(after.key, Decimal(0))
    judgement.add(before, -1)
    found = judgement.say(after)
    if not refusals(found):
        return found
    if before.key == after.key:
        end = judgement.order(after).after
        if abs(end) < abs(held) and end * held >= 0:
            return asked_only(found)
    return without_worse(found, judgement.say(before))


def cancellations_judge(
    trades: Iterable[Terms], versions: Mapping[int, int], *, known: Sessions, now: datetime
) -> list[list[Found]]:
    """What guards ask of taking back each of these trades, all of them together. One statement."""
    backward = [t._replace(has_own_id=True) for t in trades]
    facts = facts_of([t.asked for t in backward], versions, known=known, now=now)
    judgement = Judgement(facts, known, known.business_date(now))
    said = []
    for terms in backward:
        order = judgement.order(terms)
        moved = None
        if (acted := facts.acted.get(terms.key)) is not None:
            moved = acted.moved_by(_added(terms, -1))
        reversal = order._replace(side="sell" if terms.side == "buy" else "buy", moved=moved)
        said.append(asked_only(judged(reversal, judgement.rules(terms), only=_TAKEN_BACK)))
        judgement.add(terms, -1)
    return said
