"""The profiles of files that this product knows, in the order in which they are tried. Pure."""

from trades.imports.reading.profile import Profile
from trades.imports.reading.profiles.american import (
    ETRADE,
    ETRADE_ACTIVITY,
    FIDELITY,
    ROBINHOOD,
    SCHWAB,
)
from trades.imports.reading.profiles.european import DEGIRO, TRADING_212
from trades.imports.reading.profiles.interactive_brokers import IB_ACTIVITY, IB_FLEX
from trades.imports.reading.profiles.own import ADMIN_EXPORT, GRID_EXPORT, REFERENCE, REJECTED

PROFILES: tuple[Profile, ...] = (
    ADMIN_EXPORT,
    GRID_EXPORT,
    REFERENCE,
    IB_FLEX,
    IB_ACTIVITY,
    SCHWAB,
    FIDELITY,
    ROBINHOOD,
    ETRADE,
    ETRADE_ACTIVITY,
    TRADING_212,
    DEGIRO,
    REJECTED,
)
BY_NAME = {profile.name: profile for profile in PROFILES}
