"""A real Chromium on the running stack. Each test's page is kept as a picture."""

import re
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, StorageState

from eqtrade.up.options import PROJECT
from tests.browser.blotter_page import BlotterPage
from tests.browser.chromium import running_chromium
from tests.stack import end, uses
from tests.stack.running import PASSWORD, RunningStack

PICTURES = PROJECT / "test-artifacts"

Open = Callable[[str], BlotterPage]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One for all modules of pages; each test has a context of its own."""
    with running_chromium() as browser:
        yield browser


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(
    item: pytest.Item, nextitem: pytest.Item | None
) -> Generator[None, None, None]:
    """End it before a test without one: while Playwright runs, its event loop does, and Django
    refuses to use the database in a thread with one."""
    try:
        yield
    finally:
        if nextitem and uses(item, "chromium") and not uses(nextitem, "chromium"):
            end("chromium", item)


@pytest.fixture(scope="session")
def logins() -> dict[str, StorageState]:
    """The cookies of who has logged in, by user: one login is enough for many tests."""
    return {}


@pytest.fixture(scope="module")
def own_desks(stack: RunningStack) -> Iterator[None]:
    """No page shows the desks of tests before: a hundred of them took most of the time."""
    yield
    stack.close_desks()


@pytest.fixture
def open_as(
    chromium: Browser,
    stack: RunningStack,
    own_desks: None,
    logins: dict[str, StorageState],
    request: pytest.FixtureRequest,
) -> Iterator[Open]:
    """The page as this user, in a browser of its own, which has logged in through the page."""
    pages: list[Page] = []
    problems: list[str] = []

    def open_page(user: str) -> BlotterPage:
        context = chromium.new_context(
            viewport={"width": 1600, "height": 900}, locale="en-GB", storage_state=logins.get(user)
        )
        page = context.new_page()
        # Generous, for a machine that also runs everything else.
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: problems.append(str(error)))
        # AG Grid complains there of modules that were not registered, and the browser of what the
        # page's policy refused: a feature would be dead.
        page.on("console", lambda said: problems.append(said.text) if _is_ours(said) else None)
        pages.append(page)
        page.goto(f"{stack.url}/")
        # Also where a test has logged out since, or has changed the password.
        if "/login/" in page.url:
            page.get_by_label("User name").fill(user)
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("button", name="Log in").click()
            page.wait_for_url(f"{stack.url}/")
            logins[user] = {**context.storage_state(), "origins": []}
        blotter = BlotterPage(page)
        blotter.wait_live()
        return blotter

    yield open_page
    for number, page in enumerate(pages):
        page.screenshot(path=picture(request.node.name, number))
        page.context.close()
    assert not problems, f"errors on the page: {problems}"


def _is_ours(said: ConsoleMessage) -> bool:
    mine = ("AG Grid", "Content Security Policy")
    return said.type == "error" and any(words in said.text for words in mine)


def picture(test: str, number: int) -> Path:
    """Where the picture of a test's page is kept."""
    PICTURES.mkdir(exist_ok=True)
    name = re.sub(r"[^a-z0-9]+", "-", test.lower()).strip("-")
    return PICTURES / f"{name}{f'-{number + 1}' if number else ''}.png"
