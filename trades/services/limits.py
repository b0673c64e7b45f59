"""What an account may not do: go short, or grow what is no longer active.

Both look at the ledger, not at a projection, and both lock the account first: a sum is a later
statement than the lock that protects it.
"""

from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection

from accounts.models import Account
from kernel.errors import FieldError, Invalid
from prices.models import Instrument


class ShortPosition(Invalid):
    def __init__(self, account: str, ticker: str, lowest: Decimal) -> None:
        super().__init__(
            FieldError(
                "short_position",
                f"{account} may not go short: {ticker} would come to {lowest.normalize():f}.",
                "quantity",
            )
        )


def account_lock(account: Account) -> None:
    """Hold the account against other checked bookings until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM accounts_account WHERE id = %s FOR NO KEY UPDATE", [account.pk])


def refuse_increase_of_inactive(
    account: Account, instrument: Instrument, quantity: Decimal
) -> None:
    """Raise Invalid when account or instrument is inactive and the signed `quantity` would raise
    the absolute position. Closing stays possible."""
    if account.is_active and instrument.is_active:
        return
    account_lock(account)
    held = _one(
        "SELECT coalesce(sum(quantity), 0) FROM trades_ledgerentry"
        " WHERE account_id = %s AND instrument_id = %s",
        [account.pk, instrument.pk],
    )
    if abs(held + quantity) <= abs(held):
        return
    if not instrument.is_active:
        raise Invalid(
            FieldError("inactive_ticker", f"{instrument} can only be closed out.", "ticker")
        )
    raise Invalid(FieldError("inactive_account", f"{account} can only be closed out.", "account"))


def refuse_short(account: Account, instrument: Instrument, first: date, quantity: Decimal) -> None:
    """Raise ShortPosition when the account may not go short and the signed `quantity`, dated
    `first`, would leave the position below zero on that date or any later one."""
    if account.can_short or quantity >= 0:
        return
    account_lock(account)
    lowest = _one(
        """
        WITH days AS (
            SELECT trade_date, sum(quantity) AS quantity FROM trades_ledgerentry
             WHERE account_id = %(account)s AND instrument_id = %(instrument)s
             GROUP BY trade_date
        ), running AS (
            SELECT trade_date, sum(quantity) OVER (ORDER BY trade_date) AS held FROM days
        )
        SELECT least(
            (SELECT coalesce(sum(quantity), 0) FROM days WHERE trade_date <= %(first)s),
            (SELECT min(held) FROM running WHERE trade_date > %(first)s)
        )
        """,
        {"account": account.pk, "instrument": instrument.pk, "first": first},
    )
    if lowest + quantity < 0:
        raise ShortPosition(account.code, instrument.ticker, lowest + quantity)


def _one(sql: str, params: Any) -> Decimal:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return Decimal(cursor.fetchone()[0])
