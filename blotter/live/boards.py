"""All boards of a process, and the version that counts their changes. Pure.

A reading is taken over in one step: what differs from what the boards hold gets the next version.
A trade stands on one board at a time. Of two boards, read at different moments, the one that was
told of its later version keeps it, and the other lets it go in the same step: so a trade's removal
never comes after its arrival elsewhere.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from blotter.live.board import Board
from blotter.live.day_trades import is_full
from blotter.live.found import AccountFound, Moment, PricesFound
from blotter.live.kept import Kept
from blotter.live.kind import Kind
from blotter.live.unread import Unread

LEAST_DEPTH = 100
"""Trades that a board holds though nobody asks for so many: else each booking has to be counted."""


@dataclass
class Changed:
    """The changes of a reading: accounts, tickers of prices; `all` if anything may have.
    `reshaped`: accounts where more changed than prices can. `shorter`: those that may hold too few
    trades for a window, since some went, or since they were read for the first time."""

    accounts: set[int] = field(default_factory=set)
    reshaped: set[int] = field(default_factory=set)
    shorter: set[int] = field(default_factory=set)
    prices: set[str] = field(default_factory=set)
    all: bool = False

    def __bool__(self) -> bool:
        return bool(self.accounts or self.prices or self.all)


@dataclass
class Prices:
    """The board of prices, by ticker; read while somebody watches prices at all."""

    rows: Kept
    unread: Unread = field(default_factory=lambda: Unread(positions=True, total=True))
    is_read: bool = False
    is_being_read: bool = False
    rests_until: float = 0.0
    watchers: int = 0

    def watch(self, more: int) -> None:
        """So many more watch prices, or fewer. With the first of them all are read anew."""
        if not self.watchers and more > 0:
            self.is_read = False
            self.unread.priced(None)
        self.watchers += more


class Boards:
    """`names` maps instruments to tickers, as far as they are known."""

    def __init__(self, kinds: Sequence[Kind]) -> None:
        self.kinds = kinds
        self.version = 1
        self.rolled_at = 1
        self.by_account: dict[int, Board] = {}
        self.prices = Prices(Kept(remembers=0))
        self.business_date: date | None = None
        self.price_source = ""
        self.names: dict[int, str] = {}
        self.ids: dict[str, int] = {}
        self.holds_at: datetime | None = None
        """When all that was not marked as unread was last known to hold."""
        self._dated_at: datetime | None = None
        self._holders: dict[str, Board] = {}

    # --- boards come and go ---------------------------------------------------------------------

    def add(self, account: int, code: str) -> Board:
        """The account's board; a new one has everything unread."""
        board = self.by_account.get(account)
        if board is None:
            board = Board(account, code, self.kinds, depth=LEAST_DEPTH, share=LEAST_DEPTH)
            self.by_account[account] = board
            board.forget(self.version)
        return board

    def remove(self, account: int) -> None:
        """Forget an account that nobody watches."""
        board = self.by_account.pop(account)
        for key in board.trades.order:
            del self._holders[key]

    def deepen(self, board: Board, window: int, share: int) -> None:
        """Hold enough trades for a window of so many from now on, of which so many are likely its
        own."""
        board.depth, board.share = max(LEAST_DEPTH, window), max(board.share, share)
        if board.is_read and not board.trades.reaches(board.needed):
            board.unread.trades = True

    def fill(self, accounts: Iterable[int], window: int) -> None:
        """Read more trades where a window over these accounts ends too early. Its boards were read
        for their shares alone, and the newest trades may be of few of them."""
        boards = [self.by_account[account] for account in accounts]
        if not all(board.is_read for board in boards):
            return
        if is_full([board.trades for board in boards], window):
            return
        for board in boards:
            if not board.trades.reaches(window):
                board.share = max(board.share, window)
                board.unread.trades = True

    def named(self, names: dict[int, str]) -> None:
        self.names |= names
        self.ids |= {ticker: pk for pk, ticker in names.items()}

    # --- what is to be read ---------------------------------------------------------------------

    def priced(self, instruments: Iterable[int] | None) -> None:
        """Prices of these instruments moved (None: any may have). A board that is being read may
        be about to hold one that it does not hold yet."""
        moved = None if instruments is None else set(instruments)
        self.prices.unread.priced(moved)
        tickers = None
        if moved is not None and moved <= self.names.keys():
            tickers = {self.names[pk] for pk in moved}
        for board in self.by_account.values():
            if tickers is None or board.is_being_read:
                board.unread.priced(moved)
                continue
            held, are_most = board.held(tickers)
            if are_most:
                board.unread.priced(None)
            elif held:
                board.unread.priced({self.ids[ticker] for ticker in held})

    def everything(self) -> None:
        """Have everything read again: any notice may have been lost."""
        self.prices.unread.priced(None)
        for board in self.by_account.values():
            board.unread.all()

    def roll(self, business_date: date, now: datetime) -> None:
        """Another day, as known at that moment: all boards start anew. It may be an earlier one,
        when the exchange does not trade today after all."""
        self._dated_at = now
        self.version += 1
        self.rolled_at = self.version
        self.business_date = business_date
        self._holders.clear()
        for board in self.by_account.values():
            board.forget(self.version)
        self.prices.rows = Kept(remembers=0, forgotten=self.version)
        self.prices.is_read = False
        self.prices.unread.priced(None)

    # --- what was read --------------------------------------------------------------------------

    def take_over(
        self, moment: Moment, accounts: Iterable[AccountFound], prices: PricesFound | None = None
    ) -> Changed:
        """Take over what was read. A reading of another day rolls the boards, unless it began
        before they were rolled: then it is read again. Boards that were removed meanwhile are
        passed over."""
        self.price_source = moment.price_source
        if moment.business_date != self.business_date:
            if self._dated_at is not None and moment.now < self._dated_at:
                self._read_again(accounts, prices)
                return Changed()
            self.roll(moment.business_date, moment.now)
            return Changed(all=True)
        changed = Changed()
        at = self.version + 1
        for found in accounts:
            board = self.by_account.get(found.account)
            if board is not None:
                board.read_at = moment.now
                self._take_account(board, found, at, changed)
        if prices is not None:
            self._take_prices(prices, at, changed)
        if changed:
            self.version = at
        return changed

    def _read_again(self, accounts: Iterable[AccountFound], prices: PricesFound | None) -> None:
        for found in accounts:
            if board := self.by_account.get(found.account):
                board.unread.all()
        if prices is not None:
            self.prices.unread.priced(None)

    def _take_account(self, board: Board, found: AccountFound, at: int, changed: Changed) -> None:
        differs = reshaped = False
        for kind, asked in found.asked.items():
            rows = found.rows.get(kind, {})
            row_differs, came_or_went = _take_rows(board.rows[kind], rows, asked, at)
            differs, reshaped = differs or row_differs, reshaped or came_or_went
        if self._take_trades(board, found, at, changed) or reshaped:
            differs = True
            changed.reshaped.add(board.account)
        if found.is_whole and not board.is_read:
            board.is_read = differs = True
            changed.shorter.add(board.account)
        if differs:
            board.changed_at = at
            changed.accounts.add(board.account)

    def _take_trades(self, board: Board, found: AccountFound, at: int, changed: Changed) -> bool:
        """Take the trades over; true if anything differs. Trades of the day that are not held are
        known by number only: where it can't be told whether one of them came or went, all are read
        again."""
        trades = board.trades
        here = {
            key: row
            for key, row in found.trades.items()
            if self._is_here(board, key, row[0], at, changed)
        }
        total = board.trades_total
        if found.asked_trades is None:
            total = found.trades_total - len(found.trades) + len(here)
            gone = trades.entries.keys() - here.keys()
            if found.bottom > trades.bottom:
                changed.shorter.add(board.account)
            self._set_bottom(board, found.bottom, at)
            trades.reach = found.reach
            gone &= trades.entries.keys()
        else:
            gone = (found.asked_trades & trades.entries.keys()) - here.keys()
            below = {key for key in found.asked_trades if key < trades.bottom}
            if below:
                board.unread.trades = True
            here = {key: row for key, row in here.items() if key not in below}
            total += len(here.keys() - trades.entries.keys()) - len(gone)
        for key in gone:
            trades.drop(key, at)
            del self._holders[key]
        if gone:
            changed.shorter.add(board.account)
        differs = bool(gone)
        for key, (version, body) in here.items():
            differs = trades.put(key, body, at, version) or differs
            self._holders[key] = board
        if trades.is_whole:
            total = len(trades)
        differs = board.set_trades_total(total, at) or differs
        for key in trades.trim(board.depth, at):
            del self._holders[key]
        board.grow()
        if trades.is_short(board.needed):
            board.unread.trades = True
        return differs

    def _is_here(self, board: Board, key: str, version: int, at: int, changed: Changed) -> bool:
        """True if a trade that was found in an account is there as far as is known; if so, no
        other board holds it afterwards."""
        holder = self._holders.get(key)
        if holder is None or holder is board:
            return True
        if holder.trades.entries[key].more > version:
            return False
        holder.trades.drop(key, at)
        del self._holders[key]
        holder.set_trades_total(holder.trades_total - 1, at)
        holder.changed_at = at
        changed.accounts.add(holder.account)
        changed.shorter.add(holder.account)
        if holder.trades.is_short(holder.needed):
            holder.unread.trades = True
        return True

    def _set_bottom(self, board: Board, bottom: str, at: int) -> None:
        if bottom > board.trades.bottom:
            for key in board.trades.raise_bottom(bottom, at):
                del self._holders[key]
        board.trades.set_bottom(bottom, at)

    def _take_prices(self, found: PricesFound, at: int, changed: Changed) -> None:
        rows = self.prices.rows
        for ticker, (body, as_of) in found.rows.items():
            if rows.put(ticker, body, at, as_of):
                changed.prices.add(ticker)
        asked = rows.entries.keys() if found.asked is None else found.asked
        for ticker in (asked & rows.entries.keys()) - found.rows.keys():
            rows.drop(ticker, at)
            changed.prices.add(ticker)
        if found.asked is None and not self.prices.is_read:
            self.prices.is_read = True
            changed.all = True

    def holder(self, trade: str) -> int | None:
        """The account on whose board the trade stands."""
        board = self._holders.get(trade)
        return None if board is None else board.account


def _take_rows(
    rows: Kept, found: dict[str, bytes], asked: set[str] | None, at: int
) -> tuple[bool, bool]:
    """Take the rows over. The answers: any row differs; any came or went."""
    known = rows.entries.keys()
    gone = (set(known) if asked is None else asked & known) - found.keys()
    came = found.keys() - known
    for key in gone:
        rows.drop(key, at)
    differs = bool(gone)
    for key, body in found.items():
        differs = rows.put(key, body, at) or differs
    return differs, bool(gone or came)
