"""`make fresh-test`: both of the README's commands on a bare Debian, as its two kinds of user.

    python -m tests.fresh [--debian 12|13] [--as user|root] [--tests "ARGS of make test"]

Debian 12 has Python 3.11, and 13 has 3.13. Standard library only, since it runs before anything is
installed. The ordinary user is told by `make test` what root must install; that very command is run
then, so that the sentence is right. What was said is in test-artifacts/fresh-*.log.
"""

import argparse
import re
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack

from deploy.steps import PROJECT, Failed, step
from tests.fresh.inside import RESULT
from tests.fresh.machine import DEBIANS, ROOT, USER, Account, Debian, Machine, choose
from tests.fresh.settings import read_settings

LOGS = PROJECT / "test-artifacts"
RUN_SECONDS = 1200.0
TEST_SECONDS = 5400.0
NAMED = re.compile(r"^test: .*as root: (apt-get .*)$", re.MULTILINE)
"""The sentence of `make test` when something is missing, and the command in it."""
COUNTED = re.compile(r"^=* ?(\d+ (?:passed|failed).*?) ?=*$", re.MULTILINE)
"""pytest's last line."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--debian", type=int, choices=DEBIANS, default=min(DEBIANS))
    parser.add_argument("--as", dest="only", choices=("user", "root"), help="one of them alone")
    parser.add_argument("--tests", default="", help="ARGS for `make test`; all tests without it")
    options = parser.parse_args()
    accounts = [a for kind, a in (("user", USER), ("root", ROOT)) if options.only in (None, kind)]
    began = time.monotonic()
    # Ended from outside, it still removes the machine.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        for account in accounts:
            try_as(account, DEBIANS[options.debian], options.tests)
    except Failed as failure:
        print(f"fresh-test FAILED: {failure}", file=sys.stderr)
        return 1
    print(f"fresh-test passed in {time.monotonic() - began:.0f} s", flush=True)
    return 0


def try_as(account: Account, debian: Debian, tests: str) -> None:
    """Both commands as this user, on a bare machine of its own."""
    settings = read_settings(debian.suite)
    kind = choose(settings)
    where = f"in {account.checkout}; {debian.suite}, {kind.__name__.lower()}"
    print(f"as {account.name}, {where}", flush=True)
    with ExitStack() as stack:
        with step("a bare Debian with Python and make"):
            machine = stack.enter_context(kind(settings, debian))
            machine.check_out(account)
        for label in ("make run", "make run, again"):
            inside = [debian.python, "-m", "tests.fresh.inside"]
            must(label, *watch(label, machine, account, inside, RUN_SECONDS))
        make_test = ["make", "test", *([f"ARGS={tests}"] if tests else [])]
        code, said = watch("make test", machine, account, make_test, TEST_SECONDS)
        named = NAMED.search(said)
        if code != 0 and named and account is not ROOT:
            print(f"      it says: {named[0]}", flush=True)
            with step("what it names, as root"):
                machine.sh(named[1])
            code, said = watch("make test, again", machine, account, make_test, TEST_SECONDS)
        must("make test", code, said)
        print(f"      {COUNTED.findall(said)[-1]}", flush=True)


def must(label: str, code: int, said: str) -> None:
    """Raise `Failed` with the end of what was said, unless the command succeeded."""
    if code != 0:
        tail = "\n".join(said.splitlines()[-40:])
        raise Failed(f"{label} ended with {code}; all of it is in {LOGS}:\n{tail}")


def watch(
    label: str, machine: Machine, account: Account, command: Sequence[str], seconds: float
) -> tuple[int, str]:
    """Run a command in the checkout there; its exit code and what it said, also kept in a log."""
    LOGS.mkdir(exist_ok=True)
    log = LOGS / f"fresh-{account.name}-{re.sub('[^a-z]+', '-', label)}.log"
    said: list[str] = []
    with (
        step(label),
        log.open("w") as kept,
        machine.start(account, command, directory=account.checkout) as process,
    ):
        assert process.stdout
        limit = threading.Timer(seconds, process.kill)
        limit.start()
        try:
            for raw in process.stdout:
                line = raw.decode(errors="replace")
                said.append(line)
                kept.write(line)
                kept.flush()
                if line.startswith(RESULT):
                    print(f"      {line.removeprefix(RESULT).rstrip()}", flush=True)
        finally:
            limit.cancel()
    return process.returncode, "".join(said)


if __name__ == "__main__":
    sys.exit(main())
