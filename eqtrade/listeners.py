"""The listeners: each app that answers a hook of an app below it is named here."""

from pnl.daily import restate
from positions.selectors import held_instruments
from prices import hooks as prices
from trades.selectors import first_trade_date, recently_traded_instruments


def listen() -> None:
    """Add every listener. A second call adds nothing."""
    prices.instruments_needed.add(held_instruments, recently_traded_instruments)
    prices.first_day_needed.add(first_trade_date)
    prices.closes_recorded.add(restate.closes_changed)
    prices.hours_changed.add(restate.hours_changed)
