"""Without a mouse: from the login to a trade that was corrected."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.blotter_page import TIMEOUT, BlotterPage, cell
from tests.browser.conftest import PICTURES
from tests.stack.running import PASSWORD, RunningStack

MOST = 80
"""Presses of Tab after which one gives up."""
POINTED = """
    window.pointed = 0;
    for (const kind of ["pointerdown", "mousedown", "click"])
        addEventListener(kind, ({ detail, pointerType }) => {
            if (pointerType || detail > 0) window.pointed += 1;
        }, true);
"""
RINGED = """
(at) => {
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(at);
    return (outlineStyle !== "none" && parseFloat(outlineWidth) > 0) || boxShadow !== "none";
}
"""
"""Whether one sees that the keys are there."""


class Keys:
    """A page, and nothing but its keys."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.press = page.keyboard.press
        self.type = page.keyboard.type

    def reach(self, there: Locator, *, by: str = "Tab") -> None:
        """Press Tab until the keys are there, where one must see them."""
        for _ in range(MOST):
            if self.at(there):
                break
            self.press(by)
        expect(there).to_be_focused()
        expect(there).to_be_in_viewport()
        assert there.evaluate(RINGED), f"no ring around {there}"

    def reach_within(self, there: Locator) -> None:
        """Press Tab until the keys are in it."""
        for _ in range(MOST):
            if self.within(there):
                return
            self.press("Tab")
        raise AssertionError(f"Tab does not lead to {there}")

    def within(self, there: Locator) -> bool:
        return bool(there.evaluate("(at) => at.contains(document.activeElement)"))

    def at(self, there: Locator) -> bool:
        return there.count() == 1 and bool(there.evaluate("(at) => at === document.activeElement"))

    def type_over(self, there: Locator, text: str) -> None:
        """Into a field that has the keys; `text` alone is in it then."""
        expect(there).to_be_focused()
        self.press("ControlOrMeta+A")
        self.type(text)
        expect(there).to_have_value(text)


@pytest.fixture
def nobody(chromium: Browser, stack: RunningStack, request: Any) -> Iterator[Keys]:
    """A browser in which nobody has logged in."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    context.add_init_script(POINTED)
    page = context.new_page()
    page.set_default_timeout(TIMEOUT)
    page.goto(f"{stack.url}/")
    yield Keys(page)
    PICTURES.mkdir(exist_ok=True)
    page.screenshot(path=PICTURES / f"{request.node.name}.png")
    context.close()


def test_from_the_login_to_a_corrected_trade(stack: RunningStack, nobody: Keys) -> None:
    keys, page = nobody, nobody.page
    # So many that one looks for an account.
    *_, desk = [stack.desk() for _ in range(9)]
    find = page.get_by_test_id
    blotter = BlotterPage(page)

    # The login: its first field has the keys.
    expect(page.get_by_label("User name")).to_be_focused()
    keys.type("trader")
    keys.press("Tab")
    expect(page.get_by_label("Password")).to_be_focused()
    keys.type(PASSWORD)
    keys.press("Enter")
    page.wait_for_url(f"{stack.url}/")
    blotter.wait_live()

    # One account alone is watched.
    selector = find("account-selector")
    keys.reach(selector.get_by_role("button").first)
    keys.press("Enter")
    search = selector.get_by_label("Find an account")
    keys.reach(search)
    keys.type(desk)
    keys.reach(selector.get_by_role("button", name=f"only {desk}", exact=True))
    keys.press("Enter")
    keys.press("Escape")
    expect(search).to_be_hidden()
    expect(selector.get_by_role("button").first).to_be_focused()
    expect(selector).to_contain_text(desk)

    # The ticket: the account by its name, the ticker, and so on.
    keys.press("b")
    expect(find("ticket-ticker")).to_be_focused()
    keys.reach(find("ticket-account"), by="Shift+Tab")
    keys.type(desk)
    expect(find("ticket-account")).to_have_value(desk)
    keys.reach(find("ticket-ticker"))
    keys.type("ko")
    keys.press("Enter")
    expect(find("ticket-quantity")).to_be_focused()
    keys.type("100")
    keys.reach(find("ticket-price"))
    keys.type_over(find("ticket-price"), "60")
    keys.press("Enter")
    expect(blotter.result).to_contain_text("Bought 100 KO @ 60.00")
    trade = stack.client("trader").get("trades/", account=desk).json()["results"][0]["id"]
    expect(cell(blotter.position(desk, "KO"), "quantity")).to_have_text("100")

    # Its row in the grid of trades, its drawer.
    grid = find("trades-grid")
    keys.reach_within(grid.locator(".ag-root"))
    keys.press("ArrowDown")
    row = blotter.trade(trade)
    expect(row.locator(":focus")).to_have_count(1)
    keys.press("Enter")
    drawer = find("trade-drawer")
    expect(drawer.get_by_test_id("versions")).to_be_visible()
    assert keys.within(drawer)

    # Begun, and given up: the keys stay in the drawer.
    keys.reach(drawer.get_by_test_id("drawer-amend"))
    keys.press("Enter")
    quantity = drawer.get_by_label("Quantity")
    expect(quantity).to_be_focused()
    keys.press("Escape")
    expect(quantity).to_have_count(0)
    expect(drawer.get_by_test_id("drawer-amend")).to_be_focused()
    keys.press("Enter")

    # Without a reason it is not sent, and the keys go to what is missing.
    keys.type_over(quantity, "150")
    keys.press("Enter")
    expect(drawer.get_by_test_id("amend-error-reason")).to_have_text("Say why.")
    reason = drawer.get_by_label("Reason")
    expect(reason).to_be_focused()
    keys.type("misheard the quantity")
    keys.reach(drawer.get_by_role("button", name="Correct the trade"))
    keys.press("Enter")

    second = drawer.locator('[data-version="2"]')
    expect(second).to_contain_text("misheard the quantity")
    expect(second.locator("del")).to_have_text("100")
    expect(second.locator("ins")).to_have_text("150")
    expect(drawer.get_by_test_id("drawer-status")).to_have_text("Amended v2")
    expect(cell(blotter.position(desk, "KO"), "quantity")).to_have_text("150")
    expect(cell(row, "status")).to_have_text("Amended v2")

    # Back in the row that it was opened from.
    keys.press("Escape")
    expect(drawer).to_have_count(0)
    expect(row.locator(":focus")).to_have_count(1)
    assert stack.client("trader").quantities(desk) == {"KO": 150}
    assert page.evaluate("pointed") == 0
