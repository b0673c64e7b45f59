"""Made-up trades near the closes of past sessions, the same for the same seed and closes."""

import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.contrib.auth.models import User

from accounts.models import Account
from kernel.money import round_source_price
from prices.closes.read import closes_at
from prices.models import Instrument
from prices.sessions import Session, sessions
from trades.models import Side, Trade
from trades.services.new_trades import new_trade_id

TRADES_A_SESSION = 30
# Who books in each account, and in which names: few, so that positions build up as on a desk.
BOOKS = {
    "Test1": ("trader", ("AAPL", "MSFT", "NVDA", "AMZN", "GOOGL", "META", "IBM", "ORCL", "CRM")),
    "Test2": ("trader", ("AAPL", "IBM", "JPM", "BAC", "GS", "V", "MA", "BRK.B", "WFC")),
    "Test3": ("middleoffice", ("XOM", "CVX", "COP", "CAT", "DE", "HON", "UNP", "GE", "BA")),
    "Test4": ("middleoffice", ("JNJ", "PG", "KO", "PEP", "WMT", "COST", "MCD", "UNH", "MRK")),
}
LOT, MOST_LOTS = 10, 50
# Prices within a session stray from its close by so much (one standard deviation).
_STRAY = 0.004
_SHARE_OF_BUYS = 0.6


def demo_trades(*, days: Sequence[date], seed: int) -> list[Trade]:
    """Unsaved trades of these sessions, in order of execution, each booked when it was executed.

    Accounts that may not go short sell at most what they hold then. A name without a close on a
    day is not traded on it.
    """
    dice = random.Random(f"trades {seed}")
    known = sessions()
    accounts = {account.code: account for account in Account.objects.filter(code__in=BOOKS)}
    bookers = {user.username: user for user in User.objects.filter(username__in=_bookers())}
    names = {ticker for _, book in BOOKS.values() for ticker in book}
    instruments = {i.ticker: i for i in Instrument.objects.filter(ticker__in=names)}
    closes = closes_at((i.pk, day) for i in instruments.values() for day in days)
    held: defaultdict[tuple[str, str], int] = defaultdict(int)
    trades = []
    for day in days:
        for executed_at in _moments(known.session_of(day), dice):
            code = dice.choice(list(BOOKS))
            booker, book = BOOKS[code]
            ticker = dice.choice(book)
            quantity = LOT * dice.randint(1, MOST_LOTS)
            is_buy = dice.random() < _SHARE_OF_BUYS
            stray = dice.gauss(0, _STRAY)
            instrument = instruments.get(ticker)
            if instrument is None:
                continue
            close = closes.get((instrument.pk, day))
            if close is None:
                continue
            if not is_buy and not accounts[code].can_short:
                quantity = min(quantity, held[code, ticker])
                # Nothing to sell: bought instead.
                is_buy, quantity = (True, LOT) if quantity == 0 else (False, quantity)
            held[code, ticker] += quantity if is_buy else -quantity
            trades.append(
                Trade(
                    id=new_trade_id(),
                    account=accounts[code],
                    instrument=instrument,
                    side=Side.BUY if is_buy else Side.SELL,
                    quantity=Decimal(quantity),
                    price=round_source_price(close.close * Decimal(repr(1 + stray))),
                    trade_date=day,
                    executed_at=executed_at,
                    booked_at=executed_at,
                    booked_by=bookers[booker],
                )
            )
    return trades


def _bookers() -> set[str]:
    return {booker for booker, _ in BOOKS.values()}


def _moments(session: Session, dice: random.Random) -> list[datetime]:
    """Seconds within the session, in order."""
    length = int((session.closes - session.opens).total_seconds())
    seconds = sorted(dice.randrange(length) for _ in range(TRADES_A_SESSION))
    return [session.opens + timedelta(seconds=second) for second in seconds]
