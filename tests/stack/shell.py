"""Code run beside a stack, as `manage.py shell -c` runs it, for less than a start of Python and
Django each time: each piece has a process of its own, forked from one that is ready.

Run as a program it is that one: pieces come in as JSON, a line each, and what they print and their
exit code go out.
"""

import json
import os
import subprocess
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path


class Shell:
    """The process that is ready. Its own are gone when it has answered."""

    def __init__(self, python: str, checkout: Path, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [python, __file__],
            cwd=checkout,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, code: str) -> str:
        """What the code prints; it must not fail."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(code) + "\n")
        self._process.stdin.flush()
        exit_code, said = json.loads(self._process.stdout.readline())
        assert exit_code == 0, f"exited {exit_code}:\n{said}"
        return str(said)

    def end(self) -> None:
        self._process.terminate()
        self._process.wait(20)


def serve() -> None:
    """Nothing is connected to here, so no two processes share a connection."""
    # The checkout whose code it is; by itself Python would look beside this file.
    sys.path[0] = os.getcwd()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "eqtrade.settings")
    import django

    django.setup()
    for line in sys.stdin:
        print(json.dumps(forked(json.loads(line))), flush=True)


def forked(code: str) -> tuple[int, str]:
    """Run it in a process of its own; its exit code and what it printed."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        run(code, writing)
    os.close(writing)
    with open(reading) as printed:
        said = printed.read()
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), said


def run(code: str, writing: int) -> None:
    """Run it in this process, which ends with it."""
    exit_code = 1
    try:
        os.dup2(writing, sys.stdout.fileno())
        os.dup2(writing, sys.stderr.fileno())
        exec(code, {})  # noqa: S102 - the tests' own
        exit_code = 0
    except BaseException:  # noqa: BLE001 - it is told
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(exit_code)


if __name__ == "__main__":
    serve()
