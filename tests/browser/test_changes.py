"""Changes under an open page: rights, the business date, the connection."""

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Request, WebSocket, expect

from tests.browser.conftest import Open
from tests.stack.eventually import eventually
from tests.stack.examples import business_date, previous_session
from tests.stack.running import PASSWORD, RunningStack

PRICES_EVERY_SECONDS = 3
"""As in Prices.svelte."""

COVERED_BY = """(notice) => {
  const over = notice.getBoundingClientRect();
  return [...document.querySelectorAll("[data-field], .ag-cell, [data-testid=business-date]")]
    .filter((each) => {
      const { left, right, top, bottom } = each.getBoundingClientRect();
      return right > over.left && left < over.right && bottom > over.top && top < over.bottom;
    })
    .map((each) => each.textContent);
}"""

REVOKE = """
from accounts.models import Entitlement
taken = Entitlement.objects.filter(user__username="{user}", account__code="{account}")
taken.update(can_view=False, can_book=False, can_correct=False)
"""
CLOSE_THE_DAY = """
from prices.models import SessionOverride
SessionOverride.objects.create(date="{day}", is_closed=True, reason="a test")
"""
OPEN_IT_AGAIN = """
from prices.models import SessionOverride
SessionOverride.objects.filter(date="{day}").delete()
"""


def test_an_entitlement_revoked_while_watching(stack: RunningStack, open_as: Open) -> None:
    """The rows of the account go without reload; the page goes on with what is left."""
    desk = stack.desk()
    stack.client("trader").book(desk, "KO", "buy", 7, 60)
    page = open_as("middleoffice")
    page.watch_only(desk)
    expect(page.position(desk, "KO").first).to_be_visible()
    stack.shell(REVOKE.format(user="middleoffice", account=desk))
    expect(page.position(desk, "KO")).to_have_count(0)
    expect(page.page.get_by_test_id("positions-grid")).to_contain_text("No account is selected")
    page.wait_live()
    page.watch_only("Test1")
    expect(page.page.get_by_test_id("positions-grid").locator(".ag-row").first).to_be_visible()


@contextmanager
def unscheduled_closure(stack: RunningStack, day: str) -> Iterator[None]:
    """The exchange does not trade on that day after all."""
    stack.shell(CLOSE_THE_DAY.format(day=day))
    try:
        yield
    finally:
        stack.shell(OPEN_IT_AGAIN.format(day=day))


def test_the_business_date_rolls(stack: RunningStack, open_as: Open) -> None:
    """Back by an unscheduled closure, and on again when that is taken back: each time the page
    shows the other session by itself."""
    today, before = business_date(stack), previous_session(stack)
    page = open_as("ops")
    shown = page.page.get_by_test_id("business-date")
    first = shown.inner_text()
    page.page.evaluate("window.sameDocument = true")
    with unscheduled_closure(stack, today):
        expect(shown).not_to_have_text(first)
        assert str(int(before[-2:])) in shown.inner_text()
        expect(page.page.get_by_test_id("market-state")).to_have_text("Market closed")
        page.wait_live()
    expect(shown).to_have_text(first)
    assert page.page.evaluate("window.sameDocument") is True


def test_a_lost_connection_is_said_and_mended(stack: RunningStack, open_as: Open) -> None:
    """While nothing comes the page says that it is stale; nothing else moves."""
    page = open_as("trader")
    grid = page.page.get_by_test_id("positions-grid")
    place = grid.bounding_box()
    page.page.context.set_offline(True)
    # An open websocket outlives that; the process at its other end does not.
    stack.kill("ws")
    notice = page.page.get_by_test_id("stale-notice")
    expect(notice).to_contain_text("Stale")
    assert grid.bounding_box() == place

    def covers_nothing() -> None:
        """No figure, nor the day that they are of."""
        assert notice.evaluate(COVERED_BY) == []

    for width in (1920, 1440, 1280):
        page.page.set_viewport_size({"width": width, "height": 900})
        eventually(covers_nothing)
    page.page.context.set_offline(False)
    page.wait_live()
    expect(notice).to_have_count(0)


def test_a_page_without_a_network_is_not_live_for_another_second(open_as: Open) -> None:
    """The browser knows at once; an open websocket would say nothing for minutes."""
    page = open_as("trader")
    state = page.page.get_by_test_id("connection-state")
    expect(state).to_have_attribute("data-phase", "live")
    page.page.context.set_offline(True)
    expect(state).not_to_have_attribute("data-phase", "live", timeout=2_000)
    page.page.context.set_offline(False)
    page.wait_live()


def test_a_server_that_says_nothing_is_noticed_and_one_that_goes_on_is_live(
    stack: RunningStack, open_as: Open
) -> None:
    """A quiet account: nothing but the server's word says that its rows still hold."""
    page = open_as("trader")
    page.watch_only(stack.desk())
    state = page.page.get_by_test_id("connection-state")
    expect(state).to_have_attribute("data-phase", "live")
    phases = page.page.evaluate(
        """async () => {
            const state = document.querySelector('[data-testid="connection-state"]');
            const seen = new Set();
            for (let n = 0; n < 80; n++) {
                seen.add(state.dataset.phase);
                await new Promise((resolve) => setTimeout(resolve, 100));
            }
            return [...seen];
        }"""
    )
    assert phases == ["live"]
    server = stack.pids()["ws"]
    os.kill(server, signal.SIGSTOP)
    try:
        expect(state).to_have_attribute("data-phase", "quiet", timeout=15_000)
        expect(state).to_contain_text("No news")
        expect(state).to_contain_text("data")
    finally:
        os.kill(server, signal.SIGCONT)
    expect(state).to_have_attribute("data-phase", "live", timeout=15_000)


def test_an_open_page_asks_for_nothing_again(stack: RunningStack, open_as: Open) -> None:
    """Prices move each second, and updates bring them: no page subscribes anew, nor asks the
    server a second time for what it has."""
    desk = stack.desk()
    stack.client("trader").book(desk, "KO", "buy", 7, 60)
    page = open_as("trader")
    subscribed: list[str] = []
    asked: Counter[str] = Counter()
    updates: list[str] = []

    def sent(frame: str | bytes) -> None:
        subscribed.append(str(frame))

    def came(frame: str | bytes) -> None:
        if str(frame).startswith('{"type":"update"'):
            updates.append(str(frame))

    def opened(socket: WebSocket) -> None:
        socket.on("framesent", sent)
        socket.on("framereceived", came)

    def requested(request: Request) -> None:
        if "/api/" in request.url:
            asked[request.url] += 1

    page.page.on("websocket", opened)
    page.page.on("request", requested)
    page.watch_only(desk)
    page.page.reload()
    expect(page.position(desk, "KO").first).to_be_visible()
    page.wait_live()
    assert len(subscribed) == 1, subscribed
    for name in ("Positions", "Prices", "P&L history", "Bulk booking"):
        page.go(name)
        asked.clear()
        updates.clear()
        began = time.monotonic()
        while len(updates) < 3:
            page.page.wait_for_timeout(200)
        # The page of all prices reads them by itself, round after round.
        rounds = 1 + (time.monotonic() - began) // PRICES_EVERY_SECONDS
        prices = asked.pop(f"{stack.url}/api/v1/prices/", 0)
        assert prices <= (rounds if name == "Prices" else 1)
        assert max(asked.values(), default=0) <= 1, asked
    assert len(subscribed) == 1, subscribed


def test_who_is_logged_out_elsewhere_is_told_and_let_in_again(open_as: Open) -> None:
    """In another tab of the browser; the page comes back to where it was."""
    page = open_as("viewer")
    page.go("Prices")
    tab = page.page.context.new_page()
    tab.goto(page.page.url)
    tab.get_by_test_id("user-menu").get_by_role("button").first.click()
    tab.get_by_test_id("log-out").click()
    expect(tab.get_by_label("Password")).to_be_visible()
    tab.close()
    expect(page.state).to_contain_text("Signed out")
    page.state.get_by_role("link", name="Log in again").click()
    page.page.get_by_label("User name").fill("viewer")
    page.page.get_by_label("Password").fill(PASSWORD)
    page.page.get_by_role("button", name="Log in").click()
    page.wait_live()
    expect(page.page).to_have_title("Prices · eqtrade")
