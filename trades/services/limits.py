"""What an account may not do: go short, or grow what is no longer active.

Both look at the ledger, not at a projection, and lock the accounts first: a sum is a later
statement than the lock that protects it. Both take the entries that a version would add.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection

from accounts.models import Account
from kernel.errors import FieldError, Invalid
from prices.models import Instrument
from trades.ledger.entries import Entry
from trades.running_position import Running

Key = tuple[int, int]


class ShortPosition(Invalid):
    def __init__(self, account: str, ticker: str, lowest: Decimal, session: date) -> None:
        super().__init__(
            FieldError(
                "short_position",
                f"{account} may not go short: {ticker} would come to {lowest.normalize():f}"
                f" on {session}.",
                "quantity",
            )
        )


def accounts_lock(accounts: Iterable[Account], instruments: Iterable[Instrument]) -> None:
    """Hold the accounts whose sums the checks below look at against each other's changes, in the
    order of their ids, until the transaction ends: those that may not go short, those inactive,
    and all where an instrument is inactive. Must come before any trade is locked."""
    idle = any(not i.is_active for i in instruments)
    ids = sorted({a.pk for a in accounts if idle or not (a.can_short and a.is_active)})
    if ids:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT FROM accounts_account WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
                [ids],
            )


def refuse_increases_of_inactive(entries: Iterable[Entry]) -> None:
    """Raise Invalid when the entries raise the absolute position of a key whose account or
    instrument is inactive. Closing out stays possible. The accounts must be locked."""
    change: dict[Key, Decimal] = defaultdict(Decimal)
    for entry in entries:
        change[entry.account_id, entry.instrument_id] += entry.quantity
    accounts = Account.objects.filter(pk__in={a for a, _ in change}, is_active=False)
    instruments = Instrument.objects.filter(pk__in={i for _, i in change}, is_active=False)
    idle_accounts = {a.pk: a.code for a in accounts}
    idle_instruments = {i.pk: i.ticker for i in instruments}
    keys = [k for k in change if k[0] in idle_accounts or k[1] in idle_instruments]
    if not keys:
        return
    for account, instrument in keys:
        held = _held(account, instrument)
        if abs(held + change[account, instrument]) <= abs(held):
            continue
        if instrument in idle_instruments:
            name, code, attr = idle_instruments[instrument], "inactive_ticker", "ticker"
        else:
            name, code, attr = idle_accounts[account], "inactive_account", "account"
        raise Invalid(FieldError(code, f"{name} can only be closed out.", attr))


def refuse_shorts(entries: Iterable[Entry]) -> None:
    """Raise ShortPosition when, for a key whose account may not go short, the entries lower the
    sum of signed quantity over the trade dates up to some session and leave it below zero.

    The accounts must be locked (`accounts_lock`).
    """
    by_key: dict[Key, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_key[entry.account_id, entry.instrument_id].append(entry)
    no_short = dict(
        Account.objects.filter(pk__in={a for a, _ in by_key}, can_short=False).values_list(
            "pk", "code"
        )
    )
    for (account, instrument), added in sorted(by_key.items()):
        if account in no_short and (worst := _lowest_after(account, instrument, added)):
            ticker = Instrument.objects.get(pk=instrument).ticker
            raise ShortPosition(no_short[account], ticker, worst[1], worst[0])


def _lowest_after(account: int, instrument: int, added: list[Entry]) -> tuple[date, Decimal] | None:
    """The first session on which the added entries lower the running sum and leave it below
    zero, with that sum; None when there is none."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH moved AS (
                SELECT trade_date, sum(quantity) AS quantity, 0::numeric AS added
                  FROM trades_ledgerentry
                 WHERE account_id = %(account)s AND instrument_id = %(instrument)s
                 GROUP BY trade_date
                UNION ALL
                SELECT * FROM (
                    SELECT d, 0::numeric, sum(q)
                      FROM unnest(%(days)s::date[], %(quantities)s::numeric[]) AS a (d, q)
                     GROUP BY d) a
            ), days AS (
                SELECT trade_date, sum(quantity) AS quantity, sum(added) AS added
                  FROM moved GROUP BY trade_date
            ), running AS (
                SELECT trade_date, sum(quantity + added) OVER w AS held, sum(added) OVER w AS moved
                  FROM days WINDOW w AS (ORDER BY trade_date)
            )
            SELECT trade_date, held FROM running WHERE moved < 0 AND held < 0
             ORDER BY trade_date LIMIT 1
            """,
            {
                "account": account,
                "instrument": instrument,
                "days": [e.trade_date for e in added],
                "quantities": [e.quantity for e in added],
            },
        )
        row = cursor.fetchone()
        return (row[0], row[1]) if row else None


def _held(account: int, instrument: int) -> Decimal:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(quantity), 0) FROM trades_ledgerentry"
            " WHERE account_id = %s AND instrument_id = %s",
            [account, instrument],
        )
        return Decimal(cursor.fetchone()[0])


def ledger_sums(keys: Iterable[Key]) -> dict[Key, Running]:
    """What the ledger holds of each (account id, instrument id), by trade date. One query, later
    than the locks."""
    wanted = sorted(keys)
    found: dict[Key, dict[date, Decimal]] = {key: {} for key in wanted}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.account_id, e.instrument_id, e.trade_date, sum(e.quantity)"
            " FROM unnest(%s::bigint[], %s::bigint[]) AS k (account, instrument)"
            " JOIN trades_ledgerentry e ON e.account_id = k.account"
            " AND e.instrument_id = k.instrument GROUP BY 1, 2, 3",
            [[a for a, _ in wanted], [i for _, i in wanted]],
        )
        rows: list[Any] = cursor.fetchall()
    for account, instrument, day, quantity in rows:
        found[account, instrument][day] = quantity
    return {key: Running(days) for key, days in found.items()}
