"""What opens over the page: lists under a button, and dialogs."""

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Open
from tests.stack.running import RunningStack

ON_TOP = """(content) => {
  const { left, top, width, height } = content.getBoundingClientRect();
  return content.contains(document.elementFromPoint(left + width / 2, top + height / 2));
}"""


def opener(page: Page, testid: str) -> tuple[Locator, Locator]:
    """The button and what it opens."""
    root = page.get_by_test_id(testid)
    return root.get_by_role("button").first, root.locator("[popover]")


def test_a_list_opens_over_the_page_and_closes_by_itself(
    stack: RunningStack, open_as: Open
) -> None:
    desk = stack.desk()
    stack.client("trader").book(desk, "KO", "buy", 10, 60)
    blotter = open_as("trader")
    page = blotter.page
    blotter.watch_only(desk)
    blotter.position(desk, "KO").first.click()
    chosen = page.get_by_test_id("positions-grid").locator(".ag-row-selected").first
    expect(chosen).to_be_visible()
    columns, listed = opener(page, "positions-grid-columns")
    accounts, codes = opener(page, "account-selector")

    columns.click()
    expect(listed).to_be_visible()
    expect(columns).to_have_attribute("aria-expanded", "true")
    assert listed.evaluate(ON_TOP)
    # Escape closes the list, and is no key of the page as well; the keys go back to the button.
    page.keyboard.press("Escape")
    expect(listed).to_be_hidden()
    expect(columns).to_be_focused()
    expect(chosen).to_be_visible()
    # The button, by keys; leaving by Tab; another one that opens; a click elsewhere.
    page.keyboard.press("Enter")
    expect(listed).to_be_visible()
    page.keyboard.press("Shift+Tab")
    expect(listed).to_be_hidden()
    columns.click()
    accounts.click()
    expect(listed).to_be_hidden()
    expect(codes).to_be_visible()
    assert codes.evaluate(ON_TOP)
    accounts.click()
    expect(codes).to_be_hidden()
    expect(accounts).to_have_attribute("aria-expanded", "false")
    columns.click()
    expect(listed).to_be_visible()
    page.get_by_test_id("totals-bar").click(position={"x": 2, "y": 2})
    expect(listed).to_be_hidden()
    # Nothing of it is left in the page.
    assert listed.inner_text() == ""


def test_dialogs_close_by_escape_and_lose_nothing_typed(stack: RunningStack, open_as: Open) -> None:
    page = open_as("trader").page
    page.locator("body").press("?")
    shortcuts = page.get_by_test_id("help")
    expect(shortcuts).to_be_visible()
    page.keyboard.press("Escape")
    expect(shortcuts).to_be_hidden()
    page.locator("body").press("?")
    page.mouse.click(5, 5)
    expect(shortcuts).to_be_hidden()
    bell, _ = opener(page, "alert-bell")
    bell.click()
    page.get_by_test_id("alert-bell").get_by_role("button", name="Alert me…").click()
    dialog = page.get_by_test_id("alert-dialog")
    level = dialog.get_by_test_id("alert-level")
    level.fill("1000")
    page.mouse.click(5, 5)
    expect(dialog).to_be_visible()
    expect(level).to_have_value("1000")
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()
