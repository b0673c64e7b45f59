"""What is known to have changed since the last reading, gathered from notices."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Changes:
    """Ids of what changed. An account in `whole` is read again entirely; `all_prices` means every
    instrument."""

    whole: set[int] = field(default_factory=set)
    keys: set[tuple[int, int]] = field(default_factory=set)
    trades: set[str] = field(default_factory=set)
    whole_trades: set[int] = field(default_factory=set)
    accounts: set[int] = field(default_factory=set)
    instruments: set[int] = field(default_factory=set)
    all_prices: bool = False

    def __bool__(self) -> bool:
        return bool(self.accounts or self.instruments or self.all_prices)

    def account_whole(self, account: int) -> None:
        self.accounts.add(account)
        self.whole.add(account)
        self.whole_trades.add(account)

    def take_notice(self, message: dict[str, Any]) -> None:
        """Add what one notice of `kernel.notices` says."""
        if message["type"] == "quotes":
            self.instruments.update(message["instruments"])
        elif message["type"] == "changed":
            account = message["account"]
            self.accounts.add(account)
            if message["instruments"] is None:
                self.whole.add(account)
            else:
                self.keys.update((account, i) for i in message["instruments"])
            if message["trades"] is None:
                self.whole_trades.add(account)
            else:
                self.trades.update(message["trades"])

    def everything(self, accounts: Iterable[int]) -> None:
        for account in accounts:
            self.account_whole(account)
        self.all_prices = True

    def merge(self, other: "Changes") -> None:
        """Put back what could not be read."""
        self.whole |= other.whole
        self.keys |= other.keys
        self.trades |= other.trades
        self.whole_trades |= other.whole_trades
        self.accounts |= other.accounts
        self.instruments |= other.instruments
        self.all_prices = self.all_prices or other.all_prices
