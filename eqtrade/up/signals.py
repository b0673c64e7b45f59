"""Signals that ask the stack to stop."""

import signal
from types import FrameType

from eqtrade.up.progress import say

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequested(BaseException):
    """Somebody asked us to stop. Not an `Exception`, so that nothing on the way swallows it."""


def listen_for_stop() -> None:
    """From now on a signal raises `StopRequested`, once; under `nohup` SIGHUP stays ignored."""
    for number in STOPPING:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _stop_once)


def ignore_signals() -> None:
    """From now on no signal disturbs the stopping."""
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)


def _stop_once(number: int, _frame: FrameType | None) -> None:
    ignore_signals()
    say(f"\nstopping ({signal.Signals(number).name}) …")
    raise StopRequested
