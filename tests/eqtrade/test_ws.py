"""The start of the live blotter's server."""

import resource
import subprocess
import sys

from eqtrade.ws import OPEN_FILES

ASK = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (256, {hard}))
from eqtrade.ws import allow_open_files
allow_open_files()
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


def allowed(hard: int) -> int:
    done = subprocess.run(
        [sys.executable, "-c", ASK.format(hard=hard)], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def test_it_may_open_a_file_for_each_of_thousands() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert allowed(hard) == (
        OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    )


def test_it_asks_for_no_more_than_it_may_have() -> None:
    assert allowed(512) == 512
