"""Subscriptions as clients send them, read and checked for form. Pure."""

import json
from dataclasses import dataclass
from typing import Any

MAX_ACCOUNTS = 500
MAX_TRADES = 5_000
DEFAULT_TRADES = 2_000
MAX_TICKERS = 1_000
ALL, NONE = "all", "none"

HELP = (
    'Send {"type":"subscribe","accounts":[codes],"trades":n,"prices":"all"|"none"|[tickers]}, with'
    f" at most {MAX_ACCOUNTS} codes, {MAX_TRADES} trades and {MAX_TICKERS} tickers."
)


class Malformed(ValueError):
    """It is no subscription."""


@dataclass(frozen=True)
class Subscription:
    """`trades`: the newest so many. `prices`: None for all, else of these tickers."""

    accounts: tuple[str, ...] = ()
    trades: int = DEFAULT_TRADES
    prices: frozenset[str] | None = None


def subscription_of(text: str | None) -> Subscription:
    """Raise Malformed."""
    try:
        message = json.loads(text or "")
    except (ValueError, RecursionError):
        raise Malformed from None
    if not isinstance(message, dict) or message.get("type") != "subscribe":
        raise Malformed
    trades = message.get("trades", DEFAULT_TRADES)
    if type(trades) is not int or not 0 <= trades <= MAX_TRADES:
        raise Malformed
    accounts = _names(message.get("accounts"), MAX_ACCOUNTS)
    return Subscription(tuple(sorted(accounts)), trades, _prices(message.get("prices", ALL)))


def _prices(asked: Any) -> frozenset[str] | None:
    if asked == ALL:
        return None
    return frozenset() if asked == NONE else _names(asked, MAX_TICKERS)


def _names(asked: Any, most: int) -> frozenset[str]:
    if not isinstance(asked, list) or len(asked) > most:
        raise Malformed
    if not all(isinstance(name, str) and name.isprintable() for name in asked):
        raise Malformed
    return frozenset(asked)
