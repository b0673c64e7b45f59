"""Writers and readers of the ledger as processes of their own, for test_ledger_processes.

    python -m tests.properties.ledger_actors

Lines come in, and each has an answer: `writer SEED STEPS`, `decider SEED STEPS` and `reader SEED 0`
fork an actor, whose process id is said; `wait PID` says its exit code once it has ended. What they
need is imported once, before the first of them.

A writer makes so many changes, and a decider so many decisions about corporate actions; a reader
works until the file ACTORS_STOP exists. ACTORS_VARIANT names one of the broken variants that the
test must notice; "sound" is the system as it is. Nudges go through a Redis list. In a lossy world
(ACTORS_LOSSY=1) some are lost and some come twice, readers sweep now and then, and are killed with
-9 at random moments; in the other one every nudge arrives, nobody sweeps and nobody dies.
"""

import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import django
from django.db.backends.utils import CursorWrapper

django.setup()

import redis  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.db import DatabaseError, connection, transaction  # noqa: E402

from accounts.models import Account  # noqa: E402
from kernel import clock, notices  # noqa: E402
from kernel.errors import DomainError  # noqa: E402
from pnl.activity import legs  # noqa: E402
from pnl.activity import projection as activity  # noqa: E402
from pnl.activity.projection import ACTIVITY  # noqa: E402
from pnl.cost.projection import COST  # noqa: E402
from pnl.strategies.projection import STRATEGY  # noqa: E402
from positions.projection import POSITIONS, SETTLEMENT  # noqa: E402
from prices.actions.record import (  # noqa: E402
    action_amend,
    action_cancel,
    action_confirm,
    action_propose,
)
from prices.actions.terms import LegTerms, Terms  # noqa: E402
from prices.models import CorporateAction, Instrument  # noqa: E402
from tests import factories as make  # noqa: E402
from trades.ledger import multi_shard_batch as rounds  # noqa: E402
from trades.ledger import nudges  # noqa: E402
from trades.ledger import shard_batch as ledger  # noqa: E402
from trades.ledger.projection import Batch, Projection, Stretch  # noqa: E402
from trades.ledger.shard_batch import State  # noqa: E402
from trades.models import LEDGER_SHARDS, Trade  # noqa: E402
from trades.services import correction  # noqa: E402
from trades.terms import Amendment  # noqa: E402

VARIANT = os.environ.get("ACTORS_VARIANT", "sound")
LOSSY = os.environ.get("ACTORS_LOSSY") == "1"
STOP = Path(os.environ["ACTORS_STOP"])
DAYS = [date(2026, 3, 16), date(2026, 3, 17), date(2026, 3, 18)]
QUEUE = "nudges"


def client() -> "redis.Redis":
    return redis.Redis.from_url(os.environ["ACTORS_REDIS"])


# --- writers -------------------------------------------------------------------------------------


def write(seed: int, steps: int) -> None:
    """Book, amend (all terms), cancel, roll back; slow commits make transactions overlap."""
    chance, queue = random.Random(seed), client()
    user = User.objects.get(username="root")
    accounts, instruments = list(Account.objects.all()), list(Instrument.objects.all())
    nudges.nudge_all = lambda shards, whose=None: None
    for step in range(steps):
        last = step == steps - 1
        with suppress(DomainError, DatabaseError), transaction.atomic():
            touched = _change(chance, user, accounts, instruments, only_book=last)
            wake = _waker(queue, touched, chance)
            if VARIANT == "nudge before commit":
                wake()
            else:
                transaction.on_commit(wake)
            if last:
                # No later nudge comes to the aid of one that was sent too early.
                # A busy machine may wake the reader late.
                time.sleep(3 if VARIANT == "nudge before commit" else 0.5)
                continue
            if chance.random() < 0.3:
                time.sleep(chance.random() * 0.15)
            if chance.random() < 0.1:
                transaction.set_rollback(True)
        time.sleep(chance.random() * 0.01)


def _change(
    chance: random.Random,
    user: User,
    accounts: list[Account],
    instruments: list[Instrument],
    *,
    only_book: bool,
) -> set[int]:
    """One change; the accounts that it touches."""
    now, account, instrument = clock.now(), chance.choice(accounts), chance.choice(instruments)
    quantity = chance.choice([-1, 1]) * chance.randint(1, 1000)
    day = chance.choice(DAYS)
    trade = Trade.objects.order_by("?").first()
    if trade is None or only_book or chance.random() < 0.5:
        price = str(chance.randint(1, 500))
        make.make_trade(user, account, instrument, str(quantity), price, trade_date=day, at=now)
        return {account.pk}
    named: dict[str, Any] = {"trade_id": trade.pk, "version": trade.version, "now": now}
    if chance.random() < 0.25:
        correction.trade_cancel(user=user, reason="wrong", **named)
        return {trade.account_id}
    terms = Amendment(
        account=chance.choice([None, account.code]),
        ticker=chance.choice([None, instrument.ticker]),
        trade_date=chance.choice([None, day]),
        quantity=Decimal(abs(quantity)),
    )
    correction.trade_amend(user=user, reason="wrong", terms=terms, **named)
    return {trade.account_id, account.pk}


def _waker(queue: "redis.Redis", accounts: set[int], chance: random.Random) -> Callable[[], None]:
    def wake() -> None:
        for shard in sorted({a % LEDGER_SHARDS for a in accounts}):
            for _ in range(chance.choice([0, 1, 1, 2]) if LOSSY else 1):
                queue.rpush(QUEUE, shard)

    return wake


def decide(seed: int, steps: int) -> None:
    """Propose and confirm actions, amend and cancel them; slow commits overlap with the readers."""
    chance = random.Random(seed)
    user = User.objects.get(username="root")
    parent, child = Instrument.objects.order_by("ticker")
    nudges.nudge_each = lambda nudges: None
    for step in range(steps):
        with suppress(DomainError, DatabaseError), transaction.atomic():
            _decision(chance, user, parent, child, step)
            time.sleep(chance.random() * 0.05)
            if chance.random() < 0.1:
                transaction.set_rollback(True)
        time.sleep(chance.random() * 0.2)


def _decision(
    chance: random.Random, user: User, parent: Instrument, child: Instrument, step: int
) -> None:
    action = CorporateAction.objects.exclude(status="cancelled").order_by("?").first()
    named: dict[str, Any] = {"user": user, "reason": "seen"}
    if action is not None and chance.random() < 0.5:
        which: dict[str, Any] = {"action_id": action.pk, "version": action.version, **named}
        if chance.random() < 0.4:
            action_cancel(**which)
            return
        action = action_amend(**which, changed={"ex_date": chance.choice(DAYS)})
    else:
        kind, more = chance.choice(
            [
                ("split", {"keep_new": Decimal(chance.randint(2, 10))}),
                ("reverse_split", {"keep_new": Decimal(1), "keep_old": Decimal(8)}),
                ("cash_dividend", {"cash": Decimal("0.25")}),
                ("spin_off", {"legs": (LegTerms(child.ticker, Decimal(1), Decimal(4)),)}),
            ]
        )
        terms = Terms(kind, parent.ticker, chance.choice(DAYS), step + 1, **more)  # type: ignore[arg-type]
        action = action_propose(terms=terms, **named)
    action_confirm(action_id=action.pk, version=action.version, **named)


# --- readers -------------------------------------------------------------------------------------


class Audited:
    """A projection that also writes down each entry that it was given, in the same transaction,
    and may be killed right after its statements."""

    def __init__(self, inner: Projection, chance: random.Random) -> None:
        self.name, self._inner, self._chance = inner.name, inner, chance

    def apply(self, cursor: CursorWrapper, batch: Batch) -> int:
        time.sleep(self._chance.random() * 0.02)
        entries = self._inner.apply(cursor, batch)
        cursor.execute(
            "INSERT INTO audit SELECT %(consumer)s::text, e.id FROM trades_ledgerentry e"
            f" WHERE {batch.WHERE}",
            {**batch.params, "consumer": self.name},
        )
        die_perhaps(self._chance)
        return entries


def die_perhaps(chance: random.Random, share: float = 0.03) -> None:
    if LOSSY and chance.random() < share:
        os.kill(os.getpid(), signal.SIGKILL)


def read(seed: int, _: int) -> None:
    """Keep a reading child, killed at random moments in a lossy world, and replace it."""
    chance = random.Random(seed)
    break_things(chance)
    while not STOP.exists():
        child = os.fork()
        if child == 0:
            with suppress(BaseException):
                _read_until_stopped(random.Random(chance.random()))
            os._exit(0)
        chance.random()
        _kill_some_time(child, chance)


def _kill_some_time(child: int, chance: random.Random) -> None:
    deadline = time.monotonic() + chance.uniform(0.1, 1.0)
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if LOSSY and (STOP.exists() or time.monotonic() > deadline):
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return
        time.sleep(0.005)


def _read_until_stopped(chance: random.Random) -> None:
    queue = client()
    projections = [Audited(p, chance) for p in (POSITIONS, SETTLEMENT, ACTIVITY, COST, STRATEGY)]
    swept = time.monotonic()
    while not STOP.exists() or (not LOSSY and queue.llen(QUEUE)):
        nudge: Any = queue.blpop([QUEUE], timeout=0.2)
        shards = [int(nudge[1])] if nudge else []
        if LOSSY and time.monotonic() - swept > 0.3:
            swept, shards = time.monotonic(), list(range(LEDGER_SHARDS))
            legs.work_do()
        for projection in projections:
            for shard in _look(projection, shards, chance):
                queue.rpush(QUEUE, shard)


def _look(projection: Projection, shards: list[int], chance: random.Random) -> set[int]:
    """Read these shards in a round, or by themselves; those that are to be looked at again."""
    # A batch that ends before the last readable entry would betray that variant for another reason:
    # it applies more than the checkpoint moves by.
    whole = VARIANT == "horizon asked again"
    in_a_round = not whole and (VARIANT.startswith("round") or chance.random() < 0.5)
    if in_a_round:
        done = rounds.round_read(projection, shards)
        return done.behind | done.backlog
    again = set()
    for shard in shards:
        size = ledger.BATCH_ENTRIES if whole else chance.choice([1, 3, 50])
        outcome = ledger.drain(projection, shard, batch_entries=size)
        if outcome.state in (State.MORE, State.WAITING):
            again.add(shard)
    return again


def break_things(chance: random.Random) -> None:
    """Put the deaths in place, and make this process one of the broken variants."""
    # Between commit and publish.
    notices.publish = lambda notices: die_perhaps(chance)
    fold_anew = legs._refold

    def fold_and_die(*args: Any) -> int:
        changed = fold_anew(*args)
        die_perhaps(chance)
        return changed

    setattr(legs, "_refold", fold_and_die)  # noqa: B010 - its arguments are told on as they come
    if VARIANT == "legs do not follow":
        setattr(activity, "legs_follow", lambda cursor, batch: None)  # noqa: B010
    if VARIANT == "no horizon":
        ledger.BELOW_HORIZON = "true"
    elif VARIANT == "round without horizon":
        rounds._TAKE = rounds._TAKE.replace(ledger.BELOW_HORIZON, "true")
    elif VARIANT == "horizon asked again":
        # Each statement of a batch takes what lies below the horizon of its own snapshot.
        Stretch.WHERE = Stretch.WHERE.replace(
            "(e.epoch, e.txid, e.id) <= (%(upto_epoch)s, %(upto_txid)s::xid8, %(upto_id)s)",
            "e.txid < pg_snapshot_xmin(pg_current_snapshot())",
        )
    elif VARIANT in ("checkpoint apart", "round with checkpoint apart"):
        moved = list[Callable[[Any], None]]()

        def later(move: Callable[..., None]) -> Callable[..., None]:
            return lambda _, *args: moved.append(lambda cursor: move(cursor, *args))

        def move_now(notices: Any) -> None:
            die_perhaps(chance, 0.2)
            with transaction.atomic(), connection.cursor() as cursor:
                while moved:
                    moved.pop()(cursor)

        ledger._move_checkpoint = later(ledger._move_checkpoint)
        rounds._move_checkpoints = later(rounds._move_checkpoints)
        notices.publish = move_now


# --- the nursery ---------------------------------------------------------------------------------


ROLES = {"writer": write, "decider": decide, "reader": read}


def main() -> None:
    """Fork those that are asked for, until nobody asks any more."""
    for line in sys.stdin:
        what, *numbers = line.split()
        if what == "wait":
            _, status = os.waitpid(int(numbers[0]), 0)
            print(os.waitstatus_to_exitcode(status), flush=True)
        else:
            print(_born(ROLES[what], *map(int, numbers)), flush=True)


def _born(act: Callable[[int, int], None], seed: int, steps: int) -> int:
    child = os.fork()
    if child:
        return child
    try:
        act(seed, steps)
    except BaseException:  # noqa: BLE001 - it must not come back from here as a second parent
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    main()
