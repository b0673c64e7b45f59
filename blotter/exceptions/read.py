"""The exceptions of a session, as one list: what was found, and who has reviewed it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from accounts.selectors import AnyUser, viewable_accounts
from blotter.exceptions import of_others, of_trades
from blotter.exceptions.kinds import (
    AMENDED,
    BREACH,
    DUPLICATE,
    HELD,
    KINDS,
    LATE,
    OFF_MARKET,
    OVERRIDE,
    PARTIAL,
    REJECTED,
    Asked,
    Found,
)
from blotter.models import ExceptionReview
from kernel.clock import new_york
from kernel.errors import FieldError, Invalid
from prices.sessions import day_start, sessions

_LATEST = """
    SELECT DISTINCT ON (r.kind, r.key) r.* FROM blotter_exceptionreview r
      JOIN unnest(%(kinds)s::text[], %(keys)s::text[]) AS w (kind, key)
        ON w.kind = r.kind AND w.key = r.key
     ORDER BY r.kind, r.key, r.id DESC
"""


@dataclass(frozen=True)
class Reviewed:
    """An exception, and the last review of it."""

    found: Found
    review: ExceptionReview | None


def session_asked(asked: date | None, now: datetime) -> date:
    """The session that a date means: itself, or the one before a day without one; without a date
    the business date. Raises Invalid for one to come."""
    known = sessions()
    if asked is None:
        return known.business_date(now)
    if asked > new_york(now).date():
        said = f"The business date is {known.business_date(now)}."
        raise Invalid(FieldError("in_future", said, "session"))
    return known.session_on_or_before(asked)


def exceptions_of(
    user: AnyUser,
    *,
    session: date,
    now: datetime,
    accounts: list[str] | None = None,
    kinds: Collection[str] = KINDS,
) -> list[Reviewed]:
    """The exceptions of a session in the accounts that the user may view, in the order of KINDS,
    each kind newest first, and at most MOST of each; one statement a kind, and one for reviews.
    Overrides are of no account, and there whatever `accounts` says."""
    known = sessions()
    mine = {a.pk: a.code for a in viewable_accounts(user, accounts)}
    asked = Asked(
        session=session,
        since=day_start(session),
        until=day_start(known.next_session(session)),
        now=now,
        is_today=session == known.business_date(now),
        accounts=list(mine),
    )
    find = {
        BREACH: lambda: of_others.breaches(asked, user),
        OFF_MARKET: lambda: of_trades.off_market(asked),
        DUPLICATE: lambda: of_trades.duplicates(asked),
        LATE: lambda: of_trades.late(asked),
        AMENDED: lambda: of_trades.amended(asked),
        OVERRIDE: lambda: of_others.overrides(asked) + of_others.closes_by_hand(asked),
        PARTIAL: lambda: of_others.partial_figures(asked, mine),
        HELD: lambda: of_others.held(asked, user, mine),
        REJECTED: lambda: of_others.rejections(asked, user, mine),
    }
    found = [each for kind in KINDS if kind in kinds for each in find[kind]()]
    if accounts is not None:
        found = [f for f in found if f.account in accounts or f.kind == OVERRIDE]
    reviews = _reviews_of(found)
    return [Reviewed(each, reviews.get((each.kind, each.key))) for each in found]


def _reviews_of(found: Sequence[Found]) -> dict[tuple[str, str], ExceptionReview]:
    if not found:
        return {}
    keys = {"kinds": [f.kind for f in found], "keys": [f.key for f in found]}
    reviews = list(ExceptionReview.objects.raw(_LATEST, keys).prefetch_related("reviewed_by"))
    return {(each.kind, each.key): each for each in reviews}
