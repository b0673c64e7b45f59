"""Positions as a tree: subtotals, and a total that follows the filters."""

from decimal import Decimal

from playwright.sync_api import Locator, expect

from tests.browser.blotter_page import cell
from tests.browser.conftest import Open
from tests.browser.test_held_back import HOLD
from tests.stack.running import RunningStack


def shown(cell_: Locator) -> Decimal:
    return Decimal(cell_.inner_text().replace(",", "").replace("−", "-").strip())


def test_a_tree_opens_by_key_and_adds_up_what_passes(stack: RunningStack, open_as: Open) -> None:
    trader = stack.client("trader")
    desks = sorted((stack.desk(), stack.desk()))
    for desk, ticker, quantity in (
        (desks[0], "KO", "70"),
        (desks[1], "KO", "30"),
        (desks[0], "PEP", "10"),
    ):
        trader.book(desk, ticker, "buy", quantity, "60")
    page = open_as("trader")
    page.watch_only(desks[0])
    selector = page.page.get_by_test_id("account-selector")
    selector.get_by_role("button").first.click()
    selector.get_by_role("checkbox", name=desks[1]).set_checked(True)
    page.page.keyboard.press("Escape")
    page.page.get_by_role("button", name="By ticker").click()
    tree = page.page.get_by_test_id("ticker-totals-grid")
    ko, total = tree.locator('.ag-row[row-id="KO"]'), tree.locator(".ag-row.tree-total")
    beneath = [tree.locator(f'.ag-row[row-id="{desk}|KO"]') for desk in desks]
    expect(cell(ko, "quantity")).to_have_text("100")
    expect(beneath[0].first).to_be_hidden()
    cell(ko, "rows").click()
    page.page.keyboard.press("Enter")
    expect(tree.get_by_role("button", name="KO")).to_have_attribute("aria-expanded", "true")
    for row, quantity in zip(beneath, ("70", "30"), strict=True):
        expect(cell(row, "quantity")).to_have_text(quantity)
    # Sorted, those beneath stay beneath.
    tree.locator('.ag-header-cell[col-id="quantity"]').click()
    expect(beneath[0].first).to_have_attribute("row-index", "3")
    order = tree.evaluate(
        """(grid) => [...new Map([...grid.querySelectorAll(".ag-row:not(.tree-total)")]
             .map((row) => [Number(row.getAttribute("row-index")), row.getAttribute("row-id")]))]
             .sort(([a], [b]) => a - b).map(([, id]) => id)"""
    )
    assert order == ["PEP", "KO", f"{desks[1]}|KO", f"{desks[0]}|KO"]
    expect(cell(total, "rows")).to_have_text("3")
    # It moves with no price: it is from the previous close.
    parts = [
        Decimal(row["trade_pnl"])
        for desk in desks
        for row in trader.rows("positions/", account=desk, ticker="KO")
    ]
    assert shown(cell(ko, "trade_pnl")) == sum(parts)
    tree.get_by_label("Filter by ticker").fill(desks[1])
    expect(page.page.get_by_test_id("ticker-totals-grid-count")).to_have_text("1 of 3")
    expect(cell(total, "rows")).to_have_text("1")
    expect(cell(ko, "quantity")).to_have_text("30")
    assert shown(cell(ko, "trade_pnl")) == shown(cell(total, "trade_pnl")) == parts[1]
    expect(tree.locator('.ag-row[row-id="PEP"]')).to_have_count(0)


def test_open_all_holds_for_a_group_that_comes_later(stack: RunningStack, open_as: Open) -> None:
    """As it does for those that were there, but for one that was closed since."""
    desk, trader = stack.desk(), stack.client("trader")
    trader.book(desk, "KO", "buy", "70", "60")
    page = open_as("trader")
    page.watch_only(desk)
    page.page.get_by_role("button", name="By ticker").click()
    tree = page.page.get_by_test_id("ticker-totals-grid")
    ko, pep = (tree.locator(f'.ag-row[row-id="{desk}|{ticker}"]') for ticker in ("KO", "PEP"))
    page.page.get_by_role("button", name="Open all").click()
    expect(cell(ko, "quantity")).to_have_text("70")
    tree.get_by_role("button", name="KO").click()
    expect(ko).to_have_count(0)
    trader.book(desk, "PEP", "buy", "10", "60")
    expect(cell(pep, "quantity")).to_have_text("10")
    expect(ko).to_have_count(0)
    page.page.get_by_role("button", name="Close all").click()
    expect(pep).to_have_count(0)
    tree.get_by_role("button", name="KO").click()
    expect(cell(ko, "quantity")).to_have_text("70")


def test_a_sum_of_what_is_not_known_says_partial(stack: RunningStack, open_as: Open) -> None:
    """In the group, in the total beneath, and in the card above; and no longer once it is known."""
    desk, admin = stack.desk(), stack.client("admin")
    for ticker in ("KO", "PEP"):
        stack.client("trader").book(desk, ticker, "buy", "10", "60")
    page = open_as("trader")
    page.watch_only(desk)
    page.page.get_by_role("button", name="By account").click()
    tree = page.page.get_by_test_id("account-totals-grid")
    group, total = tree.locator(f'.ag-row[row-id="{desk}"]'), tree.locator(".ag-row.tree-total")
    card = page.page.get_by_test_id("totals-bar").locator(f'[data-account="{desk}"]')
    expect(cell(group, "check")).to_have_text("")
    stack.shell(HOLD)
    try:
        for row in (group, total):
            expect(cell(row, "check")).to_contain_text("Partial: 1 of 2")
        expect(card).to_contain_text("partial")
    finally:
        ids = [row["id"] for row in admin.rows("prices/doubts/", state="held")]
        assert admin.post("prices/doubts/refuse/", ids=ids, reason="a test").status_code == 200
    for row in (group, total):
        expect(cell(row, "check")).to_have_text("")
    expect(card).not_to_contain_text("partial")
