"""The changes of one board that are known of and not read yet. Pure."""

from dataclasses import dataclass, field

# Beyond so many names or trades an account is read whole: that is cheaper, and bounds this.
MOST_NAMED = 500


@dataclass
class Unread:
    """`positions` and `trades` say that all of them are to be read; else those named. `urgent`:
    somebody did something, as opposed to prices that moved. `checks`: nothing is known to have
    changed, and whatever differs was missed."""

    positions: bool = False
    instruments: set[int] = field(default_factory=set)
    trades: bool = False
    trade_ids: set[str] = field(default_factory=set)
    total: bool = False
    urgent: bool = False
    checks: bool = False

    def __bool__(self) -> bool:
        return self.total or self.positions or self.trades

    @property
    def whole(self) -> bool:
        return self.positions and self.trades

    def all(self) -> "Unread":
        """Everything."""
        self.positions = self.trades = self.total = True
        self.checks = False
        return self

    def keys(self, instruments: set[int] | None, trades: set[str] | None) -> None:
        """Positions of these instruments and these trades; None: all of them."""
        self.total = self.urgent = True
        self.priced(instruments)
        if trades is None or len(self.trade_ids) + len(trades) > MOST_NAMED:
            self.trades = True
        else:
            self.trade_ids |= trades

    def priced(self, instruments: set[int] | None) -> None:
        """Positions of these instruments; None: all of them."""
        self.total, self.checks = True, False
        if instruments is None or len(self.instruments) + len(instruments) > MOST_NAMED:
            self.positions = True
        else:
            self.instruments |= instruments

    def put_back(self, other: "Unread") -> None:
        """Add what could not be read."""
        self.positions = self.positions or other.positions
        self.instruments |= other.instruments
        self.trades = self.trades or other.trades
        self.trade_ids |= other.trade_ids
        self.total = self.total or other.total
        self.urgent = self.urgent or other.urgent
        # Something of its own came meanwhile: what differs now proves nothing.
        self.checks = False
