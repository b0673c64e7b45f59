"""Named views: kept on the server, opened with, and shared by link."""

from playwright.sync_api import expect

from tests.browser.blotter_page import BlotterPage
from tests.browser.conftest import Open
from tests.stack.running import RunningStack


def holds(page: BlotterPage, desk: str) -> None:
    """What was saved is shown."""
    tree = page.page.get_by_test_id("ticker-totals-grid")
    expect(tree.locator('.ag-row[row-id="PEP"]').first).to_be_visible()
    expect(tree.locator('.ag-row[row-id="KO"]')).to_have_count(0)
    expect(tree.get_by_label("Filter by ticker")).to_have_value("pep")
    expect(tree.locator('.ag-header-cell[col-id="price"]')).to_have_count(0)
    expect(page.page.get_by_test_id("account-selector")).to_contain_text(desk)


def test_a_view_is_kept_opened_with_and_shared(stack: RunningStack, open_as: Open) -> None:
    desk, trader = stack.desk(), stack.client("trader")
    for ticker in ("KO", "PEP"):
        trader.book(desk, ticker, "buy", 10, 60)
    page = open_as("trader")
    page.watch_only(desk)
    page.page.get_by_role("button", name="By ticker").click()
    tree = page.page.get_by_test_id("ticker-totals-grid")
    tree.get_by_label("Filter by ticker").fill("pep")
    tree.get_by_role("button", name="Columns").click()
    tree.get_by_role("group", name="Choose columns").get_by_label("Price").uncheck()
    page.page.keyboard.press("Escape")
    menu = page.page.get_by_test_id("views")
    menu.get_by_role("button", name="Views").focus()
    page.page.keyboard.press("Enter")
    menu.get_by_test_id("view-name").fill("Peps")
    menu.get_by_label("Open with this view").check()
    menu.get_by_label("Share by its link").check()
    page.page.keyboard.press("Enter")
    try:
        expect(menu).to_contain_text("Saved: Peps.")
        kept = trader.rows("views/")[0]
        # Another browser opens with it; what one does then, a reload keeps.
        another = open_as("trader")
        holds(another, desk)
        another.page.get_by_role("button", name="Rows", exact=True).click()
        another.page.reload()
        another.wait_live()
        expect(another.position(desk, "KO").first).to_be_visible()
        another.page.get_by_test_id("views").get_by_role("button").first.click()
        another.page.get_by_role("button", name="Peps", exact=True).click()
        holds(another, desk)
        # Whoever has the link sees it, and nothing changes for them until then.
        other = open_as("middleoffice")
        other.page.goto(f"{stack.url}/?view={kept['id']}")
        holds(other, desk)
        assert "view=" not in other.page.url
        menu.get_by_role("button", name="Delete Peps").click()
        expect(menu).to_contain_text("Deleted: Peps.")
        other.page.goto(f"{stack.url}/?view={kept['id']}")
        expect(other.page.get_by_role("alert")).to_contain_text("no such view")
    finally:
        address = f"{stack.url}/api/v1/views/"
        trader.session.delete(address, params={"name": "Peps"}, timeout=30)
