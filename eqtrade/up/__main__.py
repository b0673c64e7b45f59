"""`python -m eqtrade.up`: what `make run` runs, until Ctrl-C or SIGTERM."""

import sys

from eqtrade.up.accounts import NoUnprivilegedAccount
from eqtrade.up.binaries import BinaryMissing
from eqtrade.up.commands import StepFailed
from eqtrade.up.layout import UnsafePlace
from eqtrade.up.lock import AlreadyRunning
from eqtrade.up.options import BadOption, Options
from eqtrade.up.postgres import PostgresFailed
from eqtrade.up.progress import say
from eqtrade.up.signals import StopRequested, listen_for_stop
from eqtrade.up.stack import Stack
from eqtrade.up.supervision import SupervisorFailed
from eqtrade.up.valkey import ValkeyFailed

KNOWN_FAILURES = (
    *(AlreadyRunning, BadOption, BinaryMissing, NoUnprivilegedAccount, PostgresFailed),
    *(StepFailed, SupervisorFailed, UnsafePlace, ValkeyFailed),
)


def main() -> int:
    """Run the stack; 0 after a requested stop, 1 when it could not start or go on."""
    listen_for_stop()
    try:
        Stack(Options.from_environment()).run()
    except StopRequested:
        say("eqtrade has stopped; the data is kept")
        return 0
    except KNOWN_FAILURES as failure:
        say(f"eqtrade did not start, or could not go on: {failure}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
