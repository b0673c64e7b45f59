"""Made-up trades near current prices, to try the system with and to load it. Nothing is booked."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.contrib.auth.models import AbstractBaseUser

from accounts.models import Account
from accounts.selectors import account_rights
from kernel.errors import FieldError, Invalid, NotEntitled
from kernel.money import round_source_price
from prices.current_marks import marks
from prices.models import Instrument
from trades.models import Side
from trades.services.limits import ledger_sums

LOT, MOST_LOTS = 10, 50
# Prices stray from the mark by so much (one standard deviation).
_STRAY = 0.002
_SHARE_OF_BUYS = 0.6


@dataclass(frozen=True)
class MadeUp:
    """Terms as `trades/bulk/` takes them."""

    account: str
    ticker: str
    side: str
    quantity: Decimal
    price: Decimal


def trades_generate(
    *,
    user: AbstractBaseUser,
    accounts: Sequence[str],
    count: int,
    tickers: Sequence[str],
    seed: int,
    now: datetime,
) -> list[MadeUp]:
    """`count` trades that could be booked now, in this order; without tickers, of all active
    instruments that have a price. Where going short is not allowed, no more is sold than is held
    by then. The same seed, prices and holdings give the same trades.

    Raises Invalid (by field), NotEntitled.
    """
    desks = _accounts(user, accounts)
    instruments = _instruments(tickers)
    prices = [
        (m.instrument_id, m.ticker, m.mark)
        for m in marks(now, [i.pk for i in instruments])
        if m.mark is not None and m.mark > 0
    ]
    if not prices:
        raise Invalid(FieldError("no_price", "None of these has a price.", "tickers"))
    bound = {a.pk for a in desks if not a.can_short}
    held = {
        key: sums.held
        for key, sums in ledger_sums((a, i) for a in bound for i, _, _ in prices).items()
    }
    dice = random.Random(seed)
    made = []
    for _ in range(count):
        desk = dice.choice(desks)
        instrument, ticker, mark = dice.choice(prices)
        quantity = Decimal(LOT * dice.randint(1, MOST_LOTS))
        is_buy = dice.random() < _SHARE_OF_BUYS
        price = round_source_price(mark * Decimal(repr(1 + dice.gauss(0, _STRAY))))
        if desk.pk in bound:
            here = held[desk.pk, instrument]
            if not is_buy:
                quantity = min(quantity, here)
                if quantity <= 0:
                    # Nothing to sell: bought instead.
                    is_buy, quantity = True, Decimal(LOT)
            held[desk.pk, instrument] = here + (quantity if is_buy else -quantity)
        side = Side.BUY if is_buy else Side.SELL
        made.append(MadeUp(desk.code, ticker, side.value, quantity, price or mark))
    return made


def _accounts(user: AbstractBaseUser, codes: Sequence[str]) -> list[Account]:
    rights = {r.account.code: r for r in account_rights(user)}
    unknown = [code for code in codes if code not in rights]
    if unknown:
        detail = f"You have no account {', '.join(unknown)}."
        raise Invalid(FieldError("unknown_account", detail, "accounts"))
    refused = [code for code in codes if not rights[code].can_book]
    if refused:
        raise NotEntitled(f"You may not book in {', '.join(refused)}.")
    idle = [code for code in codes if not rights[code].account.is_active]
    if idle:
        detail = f"{', '.join(idle)} can only be closed out."
        raise Invalid(FieldError("inactive_account", detail, "accounts"))
    return [rights[code].account for code in dict.fromkeys(codes)]


def _instruments(tickers: Sequence[str]) -> list[Instrument]:
    if not tickers:
        return list(Instrument.objects.filter(is_active=True))
    found = {i.ticker: i for i in Instrument.objects.filter(ticker__in=tickers)}
    unknown = [ticker for ticker in tickers if ticker not in found]
    if unknown:
        detail = f"Not known: {', '.join(unknown)}."
        raise Invalid(FieldError("unknown_ticker", detail, "tickers"))
    idle = [ticker for ticker in tickers if not found[ticker].is_active]
    if idle:
        detail = f"{', '.join(idle)} can only be closed out."
        raise Invalid(FieldError("inactive_ticker", detail, "tickers"))
    return list(found.values())
