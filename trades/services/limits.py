"""Limits of an account: no going short, no growing of what is no longer active.

One rule for bookings, amendments, cancellations and undone imports. It looks at the ledger, not at
a projection, and the accounts concerned are locked first: a sum is a later statement than the lock
that protects it.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from django.db import connection

from accounts.models import Account
from kernel.errors import FieldError, Invalid
from prices.actions.read import LAST_DECISION_SQL, actions_at
from prices.models import Instrument as PricedInstrument
from trades.ledger.legs import acted_positions
from trades.running_position import RunningPosition
from trades.services.ceilings import Ceilings

Key = tuple[int, int]
"""An account's id and an instrument's."""
Changes = Mapping[date, Decimal]
"""What is added to a key, by trade date; signed, bought > 0."""
Sums = Callable[[Iterable[Key]], dict[Key, RunningPosition]]


class ShortPosition(Invalid):
    """The account may not go short, and would."""


class Instrument(Protocol):
    """An instrument, as the rule needs it."""

    @property
    def pk(self) -> int: ...
    @property
    def ticker(self) -> str: ...
    @property
    def is_active(self) -> bool: ...
    @property
    def inactive_since(self) -> date | None: ...


def invalid(errors: Iterable[FieldError]) -> Invalid:
    """The error to raise for these refusals of one trade."""
    found = list(errors)
    kind = ShortPosition if any(e.code == "short_position" for e in found) else Invalid
    return kind(*found)


def is_limited(account: Account, instrument: Instrument) -> bool:
    """True if what is booked here depends on what is held."""
    plain = account.can_short and account.is_active and instrument.is_active
    return account.is_limited or not plain


def accounts_lock(accounts: Iterable[Account], instruments: Iterable[Instrument]) -> None:
    """Hold the accounts whose sums the rule looks at against each other's changes, in the order of
    their ids, until the transaction ends: those that may not go short, those inactive, those of
    which a limit refuses, and all where an instrument is inactive. Must come before any trade is
    locked."""
    idle = any(not i.is_active for i in instruments)
    ids = sorted(
        {a.pk for a in accounts if idle or a.is_limited or not (a.can_short and a.is_active)}
    )
    if ids:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT FROM accounts_account WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
                [ids],
            )


def refusal(
    account: Account,
    instrument: Instrument,
    held: RunningPosition,
    added: Changes,
    *,
    may_grow: bool = False,
) -> FieldError | None:
    """The reason why `added` may not be added to what is held of a key; None when it may. The
    accounts must be locked. With `may_grow` what is inactive may grow, as where a sale is
    cancelled."""
    if not may_grow and held.grows(held.moved_by(added)):
        if not _may_grow(instrument, added):
            detail = f"{instrument.ticker} can only be closed out."
            return FieldError("inactive_ticker", detail, "ticker")
        if not account.is_active:
            detail = f"{account.code} can only be closed out."
            return FieldError("inactive_account", detail, "account")
    if not account.can_short and (worst := held.short_after(added)):
        return FieldError(
            "short_position",
            f"{account.code} may not go short: {instrument.ticker} would come to"
            f" {worst[1].normalize():f} on {worst[0]}.",
            "quantity",
        )
    return None


def refuse_beyond_limits(
    added: Mapping[Key, Changes],
    *,
    may_grow: bool = False,
    today: date | None = None,
    traded: Mapping[int, Decimal] | None = None,
) -> None:
    """Raise Invalid, ShortPosition where that is why, when one of these may not be added. `traded`
    is by account what it adds to the notional of `today`, the business date; without a date the
    accounts' own limits are not asked, as of what is taken back. The accounts must be locked."""
    accounts = Account.objects.in_bulk({account for account, _ in added})
    instruments = PricedInstrument.objects.in_bulk({instrument for _, instrument in added})
    limited = [k for k in sorted(added) if is_limited(accounts[k[0]], instruments[k[1]])]
    if not limited:
        return
    held = ledger_sums(limited)
    ceilings = None if today is None else Ceilings(accounts.values(), today)
    for key in limited:
        account, instrument = accounts[key[0]], instruments[key[1]]
        found = refusal(account, instrument, held[key], added[key], may_grow=may_grow)
        if found is None and ceilings is not None:
            change, notional = held[key].moved_by(added[key]), (traded or {}).get(key[0])
            found = ceilings.refusal(
                key[0], instrument.ticker, held[key].held, change, notional or Decimal(0)
            )
        if found is not None:
            raise invalid([found])


def _may_grow(instrument: Instrument, added: Changes) -> bool:
    """True if more of it may be held by these changes: the history of a delisted name is booked."""
    since = instrument.inactive_since
    return instrument.is_active or (since is not None and all(day < since for day in added))


def ledger_sums(keys: Iterable[Key]) -> dict[Key, RunningPosition]:
    """The quantity that the ledger holds of each key, by trade date, with what corporate actions
    made of it. One query, later than the locks, and one more where an action concerns a key."""
    wanted = sorted(keys)
    found: dict[Key, dict[date, Decimal]] = {key: {} for key in wanted}
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT NULL, NULL, NULL, {LAST_DECISION_SQL} UNION ALL"
            " SELECT e.account_id, e.instrument_id, e.trade_date, sum(e.quantity)"
            " FROM unnest(%s::bigint[], %s::bigint[]) AS k (account, instrument)"
            " JOIN trades_ledgerentry e ON e.account_id = k.account"
            " AND e.instrument_id = k.instrument GROUP BY 1, 2, 3",
            [[a for a, _ in wanted], [i for _, i in wanted]],
        )
        rows: list[Any] = cursor.fetchall()
    last = None
    for account, instrument, day, quantity in rows:
        if account is None:
            last = quantity
        else:
            found[account, instrument][day] = quantity
    sums = {key: RunningPosition(days) for key, days in found.items()}
    return {**sums, **acted_positions(found, actions_at(last and int(last)))}
