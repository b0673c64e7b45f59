"""A source's closes are judged before they are recorded.

Of a session that has a close from this source, another one that is far from it, or a split away, is
history rewritten: held back. Of one that has none, a close far from the one before is recorded
where the session's own last quote says the same, else held back. What the database holds and what
the same answer holds are looked at in the order of the sessions, so that after one that is held
back the next is compared with the last good one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import connection

from kernel.actions import Action
from prices.actions.carried import in_terms_of
from prices.actions.read import actions_counting
from prices.closes.read import closes_at
from prices.models import MANUAL, Close, CloseDoubt
from prices.plausible import far_from, is_borne_out, is_jump, is_rewritten, is_same, said
from prices.sessions import sessions

# (instrument id, session, close)
CloseKey = tuple[int, date, Decimal]
Key = tuple[int, date]
Kind, State = CloseDoubt.Kind, CloseDoubt.State
# Over more days than this any name may move far.
NEAR = timedelta(days=10)
# Trades of the closing auction come a little after the end.
AUCTION = timedelta(minutes=15)


@dataclass
class Judged:
    """What to record, what to say of it, and which of the doubts that were held are answered;
    `passed_over` are those that are held back or refused already."""

    closes: list[CloseKey] = field(default_factory=list)
    doubts: list[CloseDoubt] = field(default_factory=list)
    overtaken: list[CloseDoubt] = field(default_factory=list)
    passed_over: set[Key] = field(default_factory=set)

    @property
    def touched(self) -> set[Key]:
        """The closes of which something is to be told: recorded, doubted, no more doubted."""
        doubted = {(d.instrument_id, d.session) for d in (*self.doubts, *self.overtaken)}
        return doubted | {row[:2] for row in self.closes}


def judge(
    rows: Sequence[CloseKey],
    recorded: Mapping[Key, Decimal],
    source: str,
    *,
    only_missing: bool,
    now: datetime,
) -> Judged:
    """Judge a source's answers; `recorded` is what it said before. The caller holds
    Lock.CLOSES_WRITE. Two queries, and two more where a close has moved far."""
    answered = sorted(row for row in rows if not only_missing or row[:2] not in recorded)
    look = _Look(
        recorded, _before(answered, source), _doubts_of(answered, source), source, now,
        actions_counting(),
    )  # fmt: skip
    judged = _judge(answered, look, _Evidence({}, set()))
    far = {d.instrument_id for d in judged.doubts if d.kind == Kind.MOVED}
    far |= {pk for pk, _ in judged.passed_over}
    if not far:
        return judged
    # Each of their sessions, as what is borne out is what the next is compared with.
    keys = [row[:2] for row in answered if row[0] in far and row[:2] not in recorded]
    return _judge(answered, look, _evidence(keys, source))


@dataclass(frozen=True)
class _Before:
    session: date
    close: Decimal
    is_by_hand: bool = False


@dataclass(frozen=True)
class _Evidence:
    """The last quotes of sessions; and closes by hand, beside which the source's do not count."""

    quotes: Mapping[Key, Decimal]
    by_hand: set[Key]


@dataclass(frozen=True)
class _Look:
    """The facts that answers are judged by, the source that gave them, and when."""

    recorded: Mapping[Key, Decimal]
    before: Mapping[Key, _Before]
    doubts: Mapping[Key, Sequence[CloseDoubt]]
    source: str
    now: datetime
    actions: Sequence[Action]


def _judge(answered: Sequence[CloseKey], look: _Look, evidence: _Evidence) -> Judged:
    judged = Judged()
    good: dict[int, _Before] = {}
    for instrument, day, close in answered:
        key = (instrument, day)
        was, known = look.recorded.get(key), look.doubts.get(key, ())
        doubt = _doubted(key, close, good.get(instrument), look, evidence)
        if doubt is not None and doubt.state == State.HELD:
            _hold(doubt, known, judged)
            continue
        judged.overtaken += [each for each in known if each.state == State.HELD]
        good[instrument] = _Before(day, close)
        if was != close:
            judged.closes.append((instrument, day, close))
            judged.doubts += [doubt] if doubt is not None else []
    return judged


def _doubted(
    key: Key, close: Decimal, good: _Before | None, look: _Look, evidence: _Evidence
) -> CloseDoubt | None:
    """The doubt that this close raises: held, or recorded where it is borne out."""
    was = look.recorded.get(key)
    if was is not None:
        if was == close or not is_rewritten(close, was):
            return None
        return _doubt(key, Kind.REWRITTEN, close, was, look)
    last = _in_terms_of(key, _nearest(key[1], look.before.get(key), good), look.actions)
    if last is None or key in evidence.by_hand or not is_jump(close, last.close):
        return None
    doubt = _doubt(key, Kind.MOVED, close, last.close, look)
    if is_borne_out(close, evidence.quotes.get(key)):
        doubt.state, doubt.decided_at = State.RECORDED, look.now
    return doubt


def _hold(doubt: CloseDoubt, known: Sequence[CloseDoubt], judged: Judged) -> None:
    """Hold it back, unless it is held back or was refused already."""
    if any(is_same(doubt.price, each.price) for each in known if each.kind == doubt.kind):
        judged.passed_over.add((doubt.instrument_id, doubt.session))
        return
    judged.overtaken += [e for e in known if e.state == State.HELD and e.kind == doubt.kind]
    judged.doubts.append(doubt)


def _doubt(
    key: Key, kind: CloseDoubt.Kind, price: Decimal, compared_with: Decimal, look: _Look
) -> CloseDoubt:
    return CloseDoubt(
        instrument_id=key[0], session=key[1], source=look.source, kind=kind, price=price,
        compared_with=compared_with, raised_at=look.now,
    )  # fmt: skip


def _nearest(day: date, *found: _Before | None) -> _Before | None:
    """The last of them, if it is near enough to say anything; of the same session the last named,
    which is newer, unless the other is by hand."""
    best: _Before | None = None
    for each in found:
        if each is None or day - each.session > NEAR:
            continue
        is_newer = best is not None and each.session == best.session and not best.is_by_hand
        if best is None or each.session > best.session or is_newer:
            best = each
    return best


def _in_terms_of(key: Key, last: _Before | None, actions: Sequence[Action]) -> _Before | None:
    """The close before in the terms of this session: after a split nothing has jumped."""
    if last is None:
        return None
    price = in_terms_of(last.close, key[0], last.session, key[1], actions)
    return None if price is None or price <= 0 else replace(last, close=price)


_BEFORE = """
    SELECT k.id, k.day, b.session, b.close, b.source = %(manual)s
      FROM unnest(%(ids)s::bigint[], %(days)s::date[]) AS k (id, day)
     CROSS JOIN LATERAL eqtrade_effective_close_before(k.id, k.day, %(source)s) b
"""


def _before(rows: Sequence[CloseKey], source: str) -> dict[Key, _Before]:
    with connection.cursor() as cursor:
        cursor.execute(
            _BEFORE,
            {
                "ids": [row[0] for row in rows],
                "days": [row[1] for row in rows],
                "manual": MANUAL,
                "source": source,
            },
        )
        return {(pk, day): _Before(*found) for pk, day, *found in cursor.fetchall()}


def _doubts_of(rows: Sequence[CloseKey], source: str) -> dict[Key, list[CloseDoubt]]:
    """What is held back or was refused of these closes; and quotes that are held back, which the
    close of their session answers."""
    found: dict[Key, list[CloseDoubt]] = {}
    doubts = CloseDoubt.objects.filter(
        instrument_id__in={row[0] for row in rows},
        session__in={row[1] for row in rows},
        source=source,
        state__in=[State.HELD, State.REFUSED],
    )
    for doubt in doubts:
        found.setdefault((doubt.instrument_id, doubt.session), []).append(doubt)
    return found


def _evidence(keys: Sequence[Key], source: str) -> _Evidence:
    """The last quote of each of these sessions, and which have a close by hand."""
    by_hand = Close.objects.filter(
        instrument_id__in={pk for pk, _ in keys}, session__in={day for _, day in keys},
        source=MANUAL,
    ).values_list("instrument_id", "session")  # fmt: skip
    known = sessions()
    hours = [known.session_of(day) for _, day in keys]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT ON (k.id, k.day) k.id, k.day, q.price
              FROM unnest(%(ids)s::bigint[], %(days)s::date[], %(opens)s::timestamptz[],
                          %(closes)s::timestamptz[]) AS k (id, day, opens, closes)
             CROSS JOIN LATERAL (
                SELECT as_of, price FROM prices_quote
                 WHERE instrument_id = k.id AND source = %(source)s
                   AND as_of BETWEEN k.opens AND k.closes
                 UNION ALL
                (SELECT at, price FROM prices_pricepoint
                  WHERE instrument_id = k.id AND source = %(source)s
                    AND at BETWEEN k.opens AND k.closes
                  ORDER BY at DESC LIMIT 1)
             ) q
             ORDER BY k.id, k.day, q.as_of DESC
            """,
            {
                "ids": [pk for pk, _ in keys],
                "days": [day for _, day in keys],
                "opens": [session.opens for session in hours],
                "closes": [session.closes + AUCTION for session in hours],
                "source": source,
            },
        )
        quotes = {(pk, day): price for pk, day, price in cursor.fetchall()}
    return _Evidence(quotes, set(by_hand))


def far_off_by_hand(rows: Sequence[CloseKey]) -> dict[Key, str]:
    """Which closes that a person gives are far from what counts for the session, or from the close
    before, and how, in words. What they give together is looked at together."""
    answered = sorted(rows)
    effective = closes_at(row[:2] for row in answered)
    before = _before(answered, settings.PRICE_SOURCE)
    quotes = _evidence([row[:2] for row in answered], settings.PRICE_SOURCE).quotes
    actions = actions_counting()
    found: dict[Key, str] = {}
    given: dict[int, _Before] = {}
    for instrument, day, close in answered:
        key = (instrument, day)
        was = effective.get(key)
        last = _in_terms_of(key, _nearest(day, before.get(key), given.get(instrument)), actions)
        if was is not None and is_rewritten(close, was.close):
            found[key] = f"{far_from(close, was.close)} what is recorded, {said(was.close)}."
        elif last and is_jump(close, last.close) and not is_borne_out(close, quotes.get(key)):
            found[key] = f"{far_from(close, last.close)} the close before, {said(last.close)}."
        given[instrument] = _Before(day, close)
    return found
