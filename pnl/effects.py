"""What an action does to each account, computed from the ledger whether it counts or not: so that
people see it before they confirm."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from kernel.actions import Action, Effect, fold, related
from kernel.pnl import Acted, Figures, session_pnl
from pnl.acted_cost import costs_of
from prices.actions.read import action_id, actions_counting
from prices.closes.read import closes_at
from prices.marks import marks_as_traded
from prices.references import references_on
from prices.sessions import Sessions, sessions
from trades.ledger.legs import activity_on, traded_of

MOST_SESSIONS = 5
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class SessionEffect(Figures[Decimal | None]):
    """P&L of a key on a session with the action, and the total without it."""

    session: date
    total_without: Decimal | None


@dataclass(frozen=True, slots=True)
class KeyEffect:
    """One account and instrument. `cost` is what it holds costs after the action."""

    account: int
    instrument: int
    held: Decimal
    credited: Decimal
    quantity: Decimal
    fraction: Decimal
    cash: Decimal
    cost: Decimal
    sessions: Sequence[SessionEffect]


def action_effects(action: Action, *, accounts: Iterable[int], now: datetime) -> list[KeyEffect]:
    """The effects of these terms beside all others that count, by account and instrument; of the
    accounts that held anything. P&L is of the first sessions from the ex-date on that have
    begun."""
    others = [a for a in actions_counting() if action_id(a) != action_id(action)]
    mine = related([action.instrument], [*others, action])
    without = [a for a in others if a.instrument in mine]
    with_it = sorted([*without, action], key=lambda each: each.order)
    of = list(accounts)
    traded = traded_of(with_it, accounts=of, upto=date.max)
    found = {
        account: effects
        for account, days in traded.items()
        if (effects := [e for e in fold(days, with_it) if e.action is action])
    }
    costs = costs_of(
        found, mine, [a for a in with_it if a.order <= action.order], action.ex_date, now
    )
    known = sessions()
    days = _days(action, known, now)
    figures = _Figures(mine, days, known, now, activity_on(mine, days, of))
    return [
        KeyEffect(
            account, effect.instrument, effect.held, effect.credited, effect.quantity,
            effect.fraction, effect.cash + effect.unpaid * (figures.reference(
                with_it, effect.action.ex_date, effect.instrument) or ZERO),
            costs[account].of(effect.instrument)[1],
            [
                figures.of(account, effect.instrument, day, traded[account], with_it, without)
                for day in days
            ],
        )
        for account, effects in sorted(found.items())
        for effect in effects
    ]  # fmt: skip


def _days(action: Action, known: Sessions, now: datetime) -> list[date]:
    today = known.business_date(now)
    return known.sessions_between(action.ex_date, today)[:MOST_SESSIONS]


class _Figures:
    """The P&L of keys on a few sessions, from closes, marks and what was traded."""

    def __init__(
        self,
        instruments: Iterable[int],
        days: Sequence[date],
        known: Sessions,
        now: datetime,
        notionals: Mapping[tuple[int, int, date], tuple[Decimal, Decimal, Decimal]],
    ) -> None:
        self._known, self._now = known, now
        self._notionals = notionals
        of = list(instruments)
        before = {known.previous_session(day) for day in days}
        closes = closes_at((i, day) for i in of for day in {*days, *before})
        self._closes = {key: found.close for key, found in closes.items()}
        live = marks_as_traded(now, of)[0] if days else []
        # A mark that is the previous close is the reference.
        self._live = {m.instrument_id: m.mark for m in live if m.mark_source != "previous_close"}

    def reference(self, actions: Sequence[Action], day: date, instrument: int) -> Decimal | None:
        previous = self._known.previous_session(day)
        found = references_on(day, actions, self._known, self._now)
        return found.get((day, instrument), self._closes.get((instrument, previous)))

    def of(
        self,
        account: int,
        instrument: int,
        day: date,
        traded: Mapping[int, Mapping[date, Decimal]],
        with_it: Sequence[Action],
        without: Sequence[Action],
    ) -> SessionEffect:
        one = self._pnl(account, instrument, day, traded, with_it)
        other = self._pnl(account, instrument, day, traded, without)
        return SessionEffect(
            one.trade_pnl, one.position_pnl, one.action_pnl, one.fees, day, other.total_pnl
        )

    def _pnl(
        self,
        account: int,
        instrument: int,
        day: date,
        traded: Mapping[int, Mapping[date, Decimal]],
        actions: Sequence[Action],
    ) -> Figures[Decimal | None]:
        previous = self._known.previous_session(day)
        effects = [
            e for e in fold(traded, actions)
            if e.instrument == instrument and e.action.ex_date <= day
        ]  # fmt: skip
        today: list[Effect] = [e for e in effects if e.action.ex_date > previous]
        quantity = sum((q for on, q in traded.get(instrument, {}).items() if on <= day), ZERO)
        nothing = (ZERO, ZERO, ZERO)
        bought, notional, fees = self._notionals.get((account, instrument, day), nothing)
        is_live = day == self._known.business_date(self._now)
        mark = self._live.get(instrument) if is_live else self._closes.get((instrument, day))
        return session_pnl(
            closing_quantity=quantity + sum((e.quantity for e in effects), ZERO),
            traded_quantity=bought,
            traded_notional=notional,
            previous_close=self._closes.get((instrument, previous)),
            mark=mark,
            fees=fees,
            acted=Acted(
                moved=sum((e.quantity for e in today), ZERO),
                cash=sum((e.cash for e in today), ZERO),
                unpaid=sum((e.unpaid for e in today), ZERO),
                reference=self.reference(actions, day, instrument),
            ),
        )
