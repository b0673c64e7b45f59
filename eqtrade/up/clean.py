"""`python -m eqtrade.up.clean`: removes this DATA_DIR's data, unless a stack runs there."""

import os
import shutil
import sys

from eqtrade.up.accounts import server_account
from eqtrade.up.binaries import SHARED_HOME
from eqtrade.up.layout import Layout, UnsafePlace
from eqtrade.up.leftovers import end_leftovers, read_processes
from eqtrade.up.lock import AlreadyRunning, only_stack
from eqtrade.up.options import PROJECT, BadOption, data_dir_from
from eqtrade.up.progress import say


def main() -> int:
    """Remove the data; 1 when a stack runs there or the directory is not a stack's."""
    try:
        layout = Layout(data_dir_from(os.environ.get("DATA_DIR")))
        if not layout.data_dir.exists():
            return 0
        # A directory named by mistake (a home, the checkout) is not removed with all it holds.
        if not layout.run.is_dir() or PROJECT.is_relative_to(layout.data_dir):
            raise UnsafePlace(f"{layout.data_dir} is not a stack's DATA_DIR; it is left alone.")
        with only_stack(layout.lock, "nowhere"):
            end_leftovers(read_processes(layout.processes), layout.postgres(server_account()))
            shutil.rmtree(layout.sockets, ignore_errors=True)
            shutil.rmtree(SHARED_HOME / layout.key, ignore_errors=True)
            shutil.rmtree(layout.data_dir)
    except (AlreadyRunning, BadOption, UnsafePlace) as failure:
        say(str(failure))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
