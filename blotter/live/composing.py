"""Messages, composed as text from what the boards hold. Pure.

Connections that watch the same and were told the same get the same text, composed once; only what
stands before it, with `seq`, is their own. `age_seconds` and `calculated_at` change by time alone:
no board keeps them, they are added here.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from blotter.live.board import Board
from blotter.live.boards import Boards
from blotter.live.day_trades import NOTHING, floor_of, is_full, moved_floor
from blotter.live.kept import Entry
from blotter.live.kind import Kind
from kernel.api.rows import moment

SHARED_BYTES = 16 * 1024 * 1024
SHARED_ANSWERS = 10_000
"""So many answers without a text are kept; more begin anew."""

Age = Callable[[datetime | None, datetime], int | None]


@dataclass(frozen=True)
class View:
    """The selection that a connection watches: accounts by id in the order of their codes, the
    newest so many trades, prices of these tickers (None: of all)."""

    accounts: tuple[int, ...] = ()
    trades: int = 0
    prices: frozenset[str] | None = frozenset()

    @property
    def watches_prices(self) -> bool:
        return self.prices is None or bool(self.prices)


@dataclass(frozen=True)
class Text:
    """A message without its beginning, `{"type":…,"seq":…,`. Who gets it has then been told up to
    `version`, with trades from `floor` on."""

    body: bytes
    version: int
    floor: str


BEHIND = Text(b"", 0, "")
"""Stands for an update that only a snapshot can give."""


class Composer:
    """`age` is the rule by which a price's age is told."""

    def __init__(self, boards: Boards, age: Age) -> None:
        self._boards = boards
        self.texts = 0
        self.seconds = 0.0
        self._age = age
        self._nothing = self._empty()
        self._shared: OrderedDict[tuple[View, int, str], Text] = OrderedDict()
        self._shared_bytes = 0
        self._without_text: dict[tuple[View, int, str], Text | None] = {}
        self._shared_version = 0

    def ready(self, view: View) -> bool:
        """True if a snapshot can be made."""
        boards, prices = self._boards, self._boards.prices
        if view.watches_prices and not prices.is_read:
            return False
        watched = [boards.by_account.get(account) for account in view.accounts]
        known = [board.trades for board in watched if board is not None and board.is_read]
        if boards.business_date is None or len(known) < len(watched):
            return False
        return is_full(known, view.trades)

    def behind(self, view: View, told: int, floor: str) -> bool:
        """True if only a snapshot can tell what happened since."""
        if told < self._boards.rolled_at:
            return True
        if view.watches_prices and self._boards.prices.rows.behind(told):
            return True
        return any(board.behind(told, floor) for board in self._watched(view))

    def size(self, view: View) -> int:
        """About how many bytes a snapshot has."""
        boards = self._watched(view)
        rows = sum(len(board) - len(board.trades) for board in boards)
        trades = min(view.trades, sum(len(board.trades) for board in boards))
        prices = len(self._boards.prices.rows) if view.prices is None else len(view.prices)
        return 600 * rows + 450 * trades + 200 * prices

    def snapshot(self, view: View, now: datetime) -> Text:
        """Everything; the view must be `ready`."""
        self._keep_up()
        return self._shared_text((view, -1, ""), lambda: self._snapshot(view, now))

    def update(self, view: View, told: int, floor: str, now: datetime) -> Text | None:
        """The text of what differs from what was told: None for nothing, `BEHIND` where only a
        snapshot can tell."""
        self._keep_up()
        key = view, told, floor
        if key in self._shared:
            return self._shared[key]
        if key in self._without_text:
            return self._without_text[key]
        is_behind = self.behind(view, told, floor)
        if not is_behind and self._differs(view, told):
            return self._shared_text(key, lambda: self._update(view, told, floor, now))
        if len(self._without_text) >= SHARED_ANSWERS:
            self._without_text.clear()
        answer = self._without_text[key] = BEHIND if is_behind else None
        return answer

    def nothing(self, told: int, floor: str) -> Text:
        """An update that changes nothing."""
        return Text(self._nothing, told, floor)

    def _empty(self) -> bytes:
        rows: dict[str, list[bytes]] = {kind.name: [] for kind in self._boards.kinds}
        gone: dict[str, list[bytes]] = {kind.name: [] for kind in self._boards.kinds if kind.key}
        more: dict[str, list[bytes]] = {"trades": [], "prices": []}
        return _body(rows | more, {}, gone | {"trades": []})

    # --- what is shared -------------------------------------------------------------------------

    def _keep_up(self) -> None:
        """Let go of what was composed before the boards changed."""
        if self._shared_version != self._boards.version:
            self._shared.clear()
            self._without_text.clear()
            self._shared_bytes, self._shared_version = 0, self._boards.version

    def _shared_text(self, key: tuple[View, int, str], made: Callable[[], Text]) -> Text:
        text = self._shared.get(key)
        if text is None:
            began = time.thread_time()
            text = self._shared[key] = made()
            self.texts += 1
            self.seconds += time.thread_time() - began
            self._shared_bytes += len(text.body)
            while self._shared_bytes > SHARED_BYTES and len(self._shared) > 1:
                _, oldest = self._shared.popitem(last=False)
                self._shared_bytes -= len(oldest.body)
        return text

    def forget(self) -> None:
        """Time has passed: what is added by time is computed anew."""
        self._shared_version = 0

    # --- composing ------------------------------------------------------------------------------

    def _watched(self, view: View) -> list[Board]:
        return [self._boards.by_account[account] for account in view.accounts]

    def _differs(self, view: View, told: int) -> bool:
        if any(board.changed_at > told for board in self._watched(view)):
            return True
        return any(True for _ in self._prices(view, told))

    def _snapshot(self, view: View, now: datetime) -> Text:
        boards = self._watched(view)
        floor = floor_of([b.trades for b in boards], view.trades)
        head = orjson.dumps(
            {
                "business_date": self._boards.business_date,
                "price_source": self._boards.price_source,
                "accounts": [board.code for board in boards],
            }
        )[1:-1]
        rows = {
            kind.name: [
                self._row(kind, board, entry)
                for board in boards
                for _, entry in sorted(board.rows[kind.name].entries.items())
            ]
            for kind in self._boards.kinds
        }
        rows["trades"] = [
            board.trades.entries[key].body
            for board in boards
            for key in reversed(board.trades.between(floor, NOTHING))
        ]
        rows["prices"] = [self._price(e, now) for _, e in sorted(self._prices(view, -1))]
        body = _body(rows, {board.code: board.trades_total for board in boards})
        return Text(b"%s,%s" % (head, body), self._boards.version, floor)

    def _update(self, view: View, told: int, floor: str, now: datetime) -> Text:
        boards = [board for board in self._watched(view) if board.changed_at > told]
        rows = {
            kind.name: [
                self._row(kind, board, entry)
                for board in boards
                for _, entry in board.rows[kind.name].since(told)
            ]
            for kind in self._boards.kinds
        }
        removed = {
            kind.name: [
                orjson.dumps({"account": board.code, kind.key: key})
                for board in boards
                for key in board.rows[kind.name].gone_since(told)
            ]
            for kind in self._boards.kinds
            if kind.key
        }
        rows["trades"], gone, new_floor = self._trades(view, told, floor)
        removed["trades"] = [orjson.dumps(key) for key in gone]
        rows["prices"] = [self._price(e, now) for _, e in self._prices(view, told)]
        totals = {b.code: b.trades_total for b in boards if b.trades_total_at > told}
        return Text(_body(rows, totals, removed), self._boards.version, new_floor)

    def _trades(self, view: View, told: int, floor: str) -> tuple[list[bytes], list[str], str]:
        """Rows to send, ids to remove, and the window's new lower end. What entered the window at
        that end is sent though it did not change, and what fell out of it is removed."""
        boards = [board.trades for board in self._watched(view)]
        new = moved_floor(boards, view.trades, floor)
        rows, gone = [], []
        for trades in boards:
            kept_from = max(floor, new)
            rows += [e.body for key, e in trades.since(told) if key >= kept_from]
            rows += [trades.entries[key].body for key in trades.between(new, floor)]
            gone += [
                key
                for key in trades.gone_since(told)
                if key >= floor and self._boards.holder(key) not in view.accounts
            ]
            gone += trades.between(floor, new)
        return rows, gone, new

    def _prices(self, view: View, told: int) -> Iterable[tuple[str, Entry]]:
        rows = self._boards.prices.rows
        if view.prices is None:
            return rows.since(told)
        found = ((ticker, rows.entries.get(ticker)) for ticker in view.prices)
        return ((t, entry) for t, entry in found if entry is not None and entry.at > told)

    def _price(self, entry: Entry, now: datetime) -> bytes:
        age = self._age(entry.more, now)
        return entry.body[:-1] + b',"age_seconds":%s}' % orjson.dumps(age)

    def _row(self, kind: Kind, board: Board, entry: Entry) -> bytes:
        """A row with the time for which it holds: that of its reading, or of the last look that
        found nothing changed since."""
        if not kind.moment:
            return entry.body
        at = board.read_at
        holds = self._boards.holds_at
        if not board.unread and holds is not None and (at is None or holds > at):
            at = holds
        return entry.body[:-1] + b',"%s":%s}' % (kind.moment.encode(), orjson.dumps(moment(at)))


def _body(
    rows: Mapping[str, Sequence[bytes]],
    trades_total: Mapping[str, int],
    removed: Mapping[str, Sequence[bytes]] | None = None,
) -> bytes:
    parts = [*_lists(rows), b',"trades_total":', orjson.dumps(trades_total)]
    if removed is not None:
        parts += [b',"removed":{', *_lists(removed), b"}"]
    return b"".join([*parts, b"}"])


def _lists(named: Mapping[str, Sequence[bytes]]) -> list[bytes]:
    """Members of an object: names, and lists of what is encoded already."""
    parts: list[bytes] = []
    for name, rows in named.items():
        parts += [b',"%s":[' % name.encode(), b",".join(rows), b"]"]
    parts[0] = parts[0][1:]
    return parts
