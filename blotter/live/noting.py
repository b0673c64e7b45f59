"""Changes, marked on the boards: by notices, and by the pulse where notices were lost.

A shard whose checkpoint moved without a notice is read again for its watched accounts, and so is
every mark that differs from that of the pulse before.
"""

from typing import Any

from blotter.live.boards import Boards
from blotter.live.comparison import Comparison
from blotter.live.pulse import Pulse, shard_of
from kernel.notices import ACCOUNT_GROUP, LEDGER_GROUP, QUOTES_GROUP

ALWAYS = frozenset({QUOTES_GROUP, LEDGER_GROUP})
"""Groups that concern every board."""


class Noting:
    """Marks as unread what changed on the boards."""

    def __init__(self, boards: Boards, comparison: Comparison) -> None:
        self._boards = boards
        self._comparison = comparison
        self._places: dict[tuple[str, int], tuple[str, ...]] = {}

    def begin(self, pulse: Pulse) -> None:
        """Before the first board is read: what changes later differs from this pulse."""
        self._boards.named(pulse.names())
        self._date(pulse)
        self._boards.price_source = pulse.today.price_source

    def forget(self) -> None:
        """Notices are no longer heard."""
        self._places = {}

    def heard(self, message: dict[str, Any]) -> None:
        """Mark what a notice of `kernel.notices` names."""
        kind = message["type"]
        if kind == "moved":
            self._follow_reader(message)
        elif kind == "quotes":
            self._comparison.prices_moved()
            self._boards.priced(message["instruments"])
        elif kind == "changed" and (board := self._boards.by_account.get(message["account"])):
            self._comparison.explained(board)
            instruments, trades = message["instruments"], message["trades"]
            board.unread.keys(
                None if instruments is None else set(instruments),
                None if trades is None else set(trades),
            )

    def lost(self, groups: set[str]) -> None:
        """Notices to these groups may have been missed."""
        if not groups.isdisjoint(ALWAYS):
            self._boards.everything()
        for account, board in self._boards.by_account.items():
            if ACCOUNT_GROUP.format(account) in groups:
                board.unread.all()

    def compare(self, before: Pulse, pulse: Pulse) -> None:
        """Mark what moved between two pulses and was not announced."""
        boards = self._boards
        boards.named(pulse.names())
        self._date(pulse)
        for shard in pulse.shards_moved(before) - self._announced(pulse):
            self._shard_moved(shard)
        if pulse.closes_moved(before):
            boards.everything()
        elif moved := pulse.marks_moved(before):
            self._comparison.prices_moved()
            boards.priced(moved)

    def _date(self, pulse: Pulse) -> None:
        if self._boards.business_date != pulse.today.business_date:
            self._boards.roll(pulse.today.business_date, pulse.today.now)

    def _follow_reader(self, message: dict[str, Any]) -> None:
        """A reader of the ledger moved from one place to another. If it was elsewhere before, as
        far as we know, a notice was lost in between: read the shard's accounts again."""
        key = message["consumer"], message["shard"]
        known = self._places.get(key)
        if known is not None and known != tuple(message["after"]):
            self._shard_moved(message["shard"])
        self._places[key] = tuple(message["upto"])

    def _shard_moved(self, shard: int) -> None:
        for account, board in self._boards.by_account.items():
            if shard_of(account) == shard:
                self._comparison.explained(board)
                board.unread.all()

    def _announced(self, pulse: Pulse) -> set[int]:
        """Shards whose present places all came with notices, one following on the other."""
        places: dict[int, bool] = {}
        for (consumer, shard), place in pulse.checkpoints.items():
            here = self._places.get((consumer, shard)) == place
            places[shard] = places.get(shard, True) and here
        settled = {shard for shard, here in places.items() if here}
        return settled - pulse.shards_apart()
