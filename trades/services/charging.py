"""Fees by schedule: computed when a trade is booked, and kept as amounts with it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import Account
from kernel.errors import FieldError, Invalid
from trades.fee_kinds import in_order
from trades.fee_rates import Rate, charged
from trades.models import AccountFeeSchedule, FeeSchedule
from trades.terms import Booking


def rates_of(accounts: Iterable[int]) -> Mapping[int, Sequence[Rate]]:
    """By account id, all rates of the schedules that are charged there. One query, none where no
    account has any."""
    of = list(accounts)
    if not of:
        return {}
    found: dict[int, list[Rate]] = {}
    names = AccountFeeSchedule.objects.filter(account__in=of).values_list(
        "account_id", "schedule__name"
    )
    by_name: dict[str, list[Rate]] = {}
    said = set(names)
    for row in FeeSchedule.objects.filter(name__in={name for _, name in said}):
        by_name.setdefault(row.name, []).append(row.rate)
    for account, name in sorted(said):
        found.setdefault(account, []).extend(by_name[name])
    return found


def with_charges(booking: Booking, rates: Sequence[Rate], day: date) -> Booking:
    """The booking with the fees of these rates, of the kinds that it says no fee of."""
    more = charged(
        rates, side=booking.side, quantity=booking.quantity, price=booking.price, day=day,
        said=[fee.kind for fee in booking.fees],
    )  # fmt: skip
    return booking._replace(fees=in_order((*booking.fees, *more))) if more else booking


@dataclass(frozen=True)
class WantedSchedule:
    """A rate as somebody wants it, and the codes of the accounts that its schedule is charged in
    besides those that have it."""

    name: str
    kind: str
    side: str
    valid_from: date
    per_million: Decimal
    per_share: Decimal
    minimum: Decimal | None
    maximum: Decimal | None
    rounding: str
    accounts: Sequence[str] = ()


def fee_schedule_add(wanted: WantedSchedule) -> FeeSchedule:
    """Add a rate. No booked trade changes. Raises Invalid, by field."""
    terms: dict[str, Any] = {
        name: value for name, value in vars(wanted).items() if name != "accounts"
    }
    accounts = {a.code: a for a in Account.objects.filter(code__in=wanted.accounts)}
    unknown = [code for code in wanted.accounts if code not in accounts]
    if unknown:
        detail = f"There is no account {', '.join(unknown)}."
        raise Invalid(FieldError("unknown_account", detail, "accounts"))
    schedule = FeeSchedule(**terms)
    try:
        schedule.full_clean()
    except ValidationError as error:
        raise Invalid(
            *(
                FieldError("invalid", " ".join(said), None if attr == "__all__" else attr)
                for attr, said in error.message_dict.items()
            )
        ) from error
    with transaction.atomic():
        schedule.save()
        for account in accounts.values():
            AccountFeeSchedule.objects.create(account=account, schedule=schedule)
    return schedule
