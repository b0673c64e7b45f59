"""`make ha-test`: two PostgreSQL under Patroni with three etcd, killed and frozen under load.

    python -m tests.ha [--containers [--parts]] [--restore] [--digests] [--keep]

As processes on loopback, some six minutes; with `--containers` docker-compose.ha.yml itself, where
also every other part is killed; with `--parts` these alone, in some nine minutes with coming up.
`--restore`, in containers, loses both databases instead, and restores them to a second from their
log. `--digests`, in containers, builds of the images of others that deploy/images.json names.
`--keep` leaves the logs.
"""

import argparse
import sys
import time

from tests.ha.containers import Containers
from tests.ha.processes import Processes
from tests.ha.restoring import Restoring
from tests.ha.scenario import Scenario
from tests.ha.system import System


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--containers", action="store_true")
    parser.add_argument("--parts", action="store_true")
    parser.add_argument("--restore", action="store_true")
    parser.add_argument("--digests", action="store_true")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    digests = options.digests
    archived = Containers(log_kept=True, digests=digests) if options.restore else None
    system: System = archived or (
        Containers(digests=digests) if options.containers else Processes()
    )
    began = time.monotonic()
    try:
        system.start()
        up = time.monotonic() - began
        print(f"  two servers and the system are up in {up:.0f} s", flush=True)
        if archived is not None:
            Restoring(archived).run()
        else:
            Scenario(system, parts_only=options.parts).run()
    except AssertionError as failure:
        print(f"ha-test FAILED: {failure}", file=sys.stderr)
        return 1
    finally:
        if options.keep:
            print(f"  logs: {system.keep_logs()}")
        system.end()
    print(f"ha-test passed in {time.monotonic() - began:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
