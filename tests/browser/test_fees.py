"""Fees: said with a booking, corrected as any term, and told from version to version."""

from decimal import Decimal

from playwright.sync_api import expect

from tests.browser.blotter_page import cell
from tests.browser.conftest import Open
from tests.stack.running import RunningStack


def test_fees_are_booked_corrected_and_told(stack: RunningStack, open_as: Open) -> None:
    desk = stack.desk()
    page = open_as("middleoffice")
    page.watch_only(desk)
    find = page.page.get_by_test_id
    page.fill_ticket(desk, "KO", "100", "60")
    find("ticket-more").locator("summary").click()
    find("ticket-fees-commission").fill("five")
    find("ticket-order_id").fill("O-1")
    page.submit.click()
    expect(page.error("fees")).to_contain_text("Commission: an amount like")
    find("ticket-fees-commission").fill("5")
    find("ticket-fees-other").fill("-0.25")
    page.submit.click()
    expect(page.result).to_contain_text("Bought 100 KO")
    # A fee is of one trade.
    expect(find("ticket-fees-commission")).to_have_value("")
    trade = stack.client("trader").rows("trades/", account=desk)[0]
    assert {fee["kind"]: fee["amount"] for fee in trade["fees"]} == {
        "commission": "5",
        "other": "-0.25",
    }
    expect(cell(page.trade(trade["id"]), "fees")).to_have_text("4.75")
    # Beside the gross figures of the position and of the account.
    expect(cell(page.position(desk, "KO"), "fees")).to_have_text("4.75")
    page.page.get_by_role("button", name="By ticker").click()
    tree = find("ticker-totals-grid").locator(".ag-row.tree-total")
    expect(cell(tree, "fees")).to_have_text("4.75")
    page.page.get_by_role("button", name="Rows", exact=True).click()
    net = page.total(desk, "net_pnl")
    expect(net).to_be_visible()
    [row] = stack.client("trader").rows("pnl/", account=desk, by="account")
    assert Decimal(row["net_pnl"]) == Decimal(row["total_pnl"]) - Decimal("4.75")
    drawer = page.open_trade(trade["id"])
    find("drawer-amend").click()
    find("amend-fees-commission").fill("4.5")
    find("amend-fees-other").fill("")
    drawer.get_by_label("Reason").fill("The broker's note")
    drawer.get_by_role("button", name="Correct the trade").click()
    second = drawer.locator('[data-version="2"]')
    expect(second.locator('[data-fee="Commission"]')).to_have_text("5.00 → 4.50")
    expect(second.locator('[data-fee="Other"]')).to_have_text("−0.25 → none")
    expect(cell(page.trade(trade["id"]), "fees")).to_have_text("4.50")
