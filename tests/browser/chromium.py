"""Chromium as the tests start it.

`python -m tests.browser.chromium` starts and ends it once, as they do, and fails with what it said
when it does not start: `make test` asks before a test does.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Error, sync_playwright

from deploy.browser import system_browser

QUIET = (
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--no-first-run", "--disable-default-apps"),
)


def how(*, scrollbars: bool = False) -> dict[str, Any]:
    """How it is started: with scroll bars that take room, if asked."""
    return {
        "executable_path": system_browser(),
        "args": [*QUIET],
        "ignore_default_args": ["--hide-scrollbars"] if scrollbars else None,
    }


@contextmanager
def running_chromium(*, scrollbars: bool = False) -> Iterator[Browser]:
    """The system's browser, else Playwright's own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**how(scrollbars=scrollbars))
        yield browser
        browser.close()


def main() -> int:
    try:
        with running_chromium() as browser:
            browser.new_page().close()
    except Error as error:
        print(error.message)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
