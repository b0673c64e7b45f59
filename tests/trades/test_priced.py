"""Which instruments trading makes priced."""

from datetime import timedelta

from django.db import transaction

from prices.models import Instrument
from prices.selectors import priced_instruments
from prices.sessions import sessions
from tests import factories as make
from tests.trades.conftest import NOW, TODAY, Desk
from trades.selectors import RECENT_SESSIONS


def names() -> set[str]:
    return {instrument.ticker for instrument in priced_instruments(NOW)}


def test_what_was_traded_in_the_last_sessions_is_priced(desk: Desk) -> None:
    Instrument.objects.create(ticker="SPY1", yahoo_symbol="SPY1", indices=["S&P 500"])
    first = TODAY
    for _ in range(RECENT_SESSIONS - 1):
        first = sessions().previous_session(first)
    days = {"NEW": TODAY, "OLD": first, "OLDER": first - timedelta(days=1), "GONE": TODAY}
    for ticker, day in days.items():
        instrument = make.make_instrument(ticker, is_active=ticker != "GONE")
        with transaction.atomic():
            for quantity in ("5", "-5"):
                make.make_trade(
                    desk.trader, desk.other, instrument, quantity, "2", trade_date=day, at=NOW
                )
    assert names() == {"SPY1", "NEW", "OLD", "GONE"}
