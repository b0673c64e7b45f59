"""`make fresh-test` inside the bare machine: start `make run`, wait until it is ready, ask it
something, end it with Ctrl-C, and see that nothing is left.

Standard library only, and Debian's own Python.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

RESULT = "fresh: "
"""Before a line that is for who started the test, and not only for the log."""
END_SECONDS = 90.0


def main() -> int:
    before = processes()
    port = free_port()
    began = time.monotonic()
    with subprocess.Popen(
        ["make", "run"],
        env=os.environ | {"PORT": str(port)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as run:
        assert run.stdout
        ready = f"eqtrade is ready at http://127.0.0.1:{port}/"
        for line in run.stdout:
            print(line, end="", flush=True)
            if ready in line:
                break
        else:
            return tell(f"`make run` ended with {run.wait()} before it was ready")
        took = time.monotonic() - began
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=30) as answer:
            assert answer.status == 200
        began = time.monotonic()
        # As a terminal does: make and what it runs get it.
        os.killpg(run.pid, signal.SIGINT)
        print(run.communicate(timeout=END_SECONDS)[0], end="", flush=True)
        ended = time.monotonic() - began
    left = sorted(set(processes().items()) - set(before.items()))
    if left:
        return tell(f"after Ctrl-C these are left: {left}")
    print(f"{RESULT}ready after {took:.1f} s, ended by Ctrl-C in {ended:.1f} s, nothing left")
    return 0


def tell(failure: str) -> int:
    print(f"{RESULT}{failure}", flush=True)
    return 1


def processes() -> dict[int, str]:
    """Every process that lives here, by pid, with its name."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = path.read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue  # gone meanwhile
        if rest.split()[0] != "Z":
            found[int(path.parent.name)] = name
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
