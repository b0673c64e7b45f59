"""Limits that refuse: what would exceed them and make it worse is not booked.

Only of one account, and only of what the ledger and the trades tell: the position in one name, and
the notional traded on the business date. The account is locked first (`Account.is_limited`), and
what is read here is a later statement than the lock.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from django.db.models import F, Sum

from accounts.models import Account
from kernel.errors import FieldError
from trades.guard_rules import cents, grouped
from trades.limit_rules import DAY_NOTIONAL, POSITION, REFUSE
from trades.models import Limit, Status, Trade

ZERO = Decimal(0)


class Ceilings:
    """The refusing limits of these accounts, and how much of the day's notional is used. Two
    queries, none where no account is limited."""

    def __init__(self, accounts: Iterable[Account], today: date) -> None:
        self.today = today
        limited = [account.pk for account in accounts if account.is_limited]
        self._most: dict[tuple[int, str], Decimal] = {}
        self._traded: dict[int, Decimal] = {}
        if not limited:
            return
        found = Limit.objects.filter(account__in=limited, mode=REFUSE, is_active=True)
        for account, kind, amount in found.values_list("account_id", "kind", "amount"):
            self._most[account, kind] = amount
        of_day = [account for account in limited if (account, DAY_NOTIONAL) in self._most]
        if of_day:
            trades = Trade.objects.filter(account__in=of_day, trade_date=today)
            summed = trades.exclude(status=Status.CANCELLED).values("account_id")
            sums = summed.annotate(traded=Sum(F("quantity") * F("price")))
            self._traded = dict(sums.values_list("account_id", "traded"))

    def refusal(
        self, account: int, ticker: str, held: Decimal, change: Decimal, notional: Decimal
    ) -> FieldError | None:
        """The reason why a change of a position, and of the business date's notional, may not be;
        None when it may."""
        most, after = self._most.get((account, POSITION)), held + change
        if most is not None and abs(after) > most and abs(after) > abs(held):
            detail = f"{ticker} would come to {grouped(after)}: the limit is {grouped(most)}."
            return FieldError("position_limit", detail, "quantity")
        most = self._most.get((account, DAY_NOTIONAL))
        traded = self._traded.get(account, ZERO) + notional
        if most is not None and notional > 0 and traded > most:
            detail = (
                f"The day's notional would come to ${grouped(cents(traded))}: the limit is"
                f" ${grouped(cents(most))}."
            )
            return FieldError("day_notional_limit", detail, "quantity")
        return None

    def add(self, account: int, notional: Decimal) -> None:
        """What comes after is judged with this notional traded."""
        if (account, DAY_NOTIONAL) in self._most:
            self._traded[account] = self._traded.get(account, ZERO) + notional
