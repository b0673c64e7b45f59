"""The listeners: each app that answers a hook of an app below it, and each reader of the ledger, is
named here."""

from blotter.alerts.ask import alerts_ask
from eqtrade.queues import LEDGER_READERS
from kernel.middleware import answered
from pnl import hooks as pnl
from pnl.activity import ask as actions
from pnl.activity.legs import held_by_actions
from pnl.daily import restate
from pnl.intraday import ask
from positions.selectors import held_instruments
from prices import hooks as prices
from trades.counted import booking_answered
from trades.ledger import registry
from trades.selectors import first_trade_date, recently_traded_instruments


def listen() -> None:
    """Add every listener. A second call adds nothing."""
    prices.instruments_needed.add(held_instruments, recently_traded_instruments)
    prices.first_day_needed.add(first_trade_date)
    prices.closes_recorded.add(restate.closes_changed)
    prices.actions_decided.add(actions.actions_ask)
    prices.instruments_needed.add(held_by_actions)
    prices.hours_changed.add(restate.hours_changed)
    prices.quotes_refreshed.add(ask.intraday_ask, alerts_ask)
    pnl.entries_applied.add(alerts_ask)
    registry.register(*LEDGER_READERS)
    answered.add(booking_answered)
