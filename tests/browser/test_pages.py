"""Prices, P&L history, the system page, and finding one's way."""

import csv

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.stack.examples import business_date, examples
from tests.stack.running import PASSWORD, RunningStack

NEWCOMER = """
from django.contrib.auth.models import User
from accounts.models import Account, Entitlement
user = User.objects.create_user({name!r}, password={password!r})
Entitlement.objects.create(user=user, account=Account.objects.get(code="Test1"))
"""


def test_prices_with_their_change_and_by_hand(stack: RunningStack, open_as: Open) -> None:
    """Worked example 1's prices: the change is from the previous close; an override is marked."""
    page = open_as("middleoffice")
    page.go("Prices")
    grid = page.page.get_by_test_id("prices-grid")
    with examples()[0].priced(stack):
        grid.get_by_label("Filter prices").fill("AAPL")
        row = grid.locator('.ag-row[row-id="AAPL"]')
        expect(row.locator('[col-id="price"]')).to_have_text("192.81")
        expect(row.locator('[col-id="change"]')).to_have_text("−2.80")
        expect(row.locator('[col-id="change_percent"]')).to_have_text("−1.43%")
        expect(row.locator('[col-id="marks"]')).to_contain_text("OVERRIDE")
    expect(row.locator('[col-id="marks"]')).not_to_contain_text("OVERRIDE")
    row.locator('[col-id="ticker"]').click()
    detail = page.page.get_by_test_id("price-detail")
    expect(detail).to_contain_text("Apple")
    detail.get_by_role("textbox", name="Price").fill("200.5")
    detail.get_by_label("Reason").fill("a test")
    detail.get_by_role("button", name="Set", exact=True).click()
    expect(row.locator('[col-id="price"]')).to_have_text("200.50")
    expect(detail.get_by_test_id("override-active")).to_contain_text("200.50 by middleoffice")
    detail.get_by_role("button", name="End it now").click()
    expect(row.locator('[col-id="marks"]')).not_to_contain_text("OVERRIDE")
    expect(detail.get_by_test_id("override-active")).to_have_count(0)


def test_a_price_by_hand_is_ended_by_a_colleague(stack: RunningStack, open_as: Open) -> None:
    """Whoever set it, and whenever: staff sees who, why and until when, and may end it."""
    page = open_as("middleoffice")
    page.go("Prices")
    grid, detail = (page.page.get_by_test_id(f"price{name}") for name in ("s-grid", "-detail"))
    grid.get_by_label("Filter prices").fill("KO")
    row = grid.locator('.ag-row[row-id="KO"]')
    row.locator('[col-id="ticker"]').click()
    admin = stack.client("admin")
    override = admin.override("KO", "77.77")
    try:
        active = detail.get_by_test_id("override-active")
        expect(active).to_contain_text("77.77 by admin, until")
        active.get_by_role("button", name="End it now").click()
        expect(active).to_have_count(0)
        expect(row.locator('[col-id="marks"]')).not_to_contain_text("OVERRIDE")
    finally:
        admin.end_override(override)


def test_pnl_history_by_day_account_and_ticker(stack: RunningStack, open_as: Open) -> None:
    page = open_as("middleoffice")
    page.go("P&L history")
    days = page.page.get_by_test_id("pnl-days-grid")
    rows = days.locator(".ag-row")
    expect(rows.first).to_contain_text("Provisional")
    expect(page.page.get_by_test_id("history-chart").locator("canvas")).to_be_visible()
    rows.nth(1).locator('[col-id="session"]').click()
    expect(page.page.get_by_test_id("differences")).to_contain_text("Snapshot of")
    with page.page.expect_download() as saved:
        days.get_by_role("button", name="Export").click()
    found = list(csv.DictReader(saved.value.path().read_text(encoding="utf-8-sig").splitlines()))
    assert found[0]["Session"] == business_date(stack)
    # The same rows, so they are there at once, before any reading.
    page.page.get_by_role("button", name="By account", exact=True).click()
    accounts = page.page.get_by_test_id("pnl-accounts-grid").locator(".ag-row")
    expect(accounts).not_to_have_count(0, timeout=5_000)
    page.page.get_by_role("button", name="By day").click()
    expect(rows).not_to_have_count(0, timeout=5_000)
    page.page.get_by_role("button", name="By ticker").click()
    expect(page.page.get_by_test_id("pnl-tickers-grid").locator(".ag-row")).not_to_have_count(0)


def test_the_system_page_is_for_staff(stack: RunningStack, open_as: Open) -> None:
    page = open_as("ops")
    page.go("System")
    expect(page.page.get_by_test_id("troubles")).to_contain_text("Flower")
    lag = page.page.get_by_test_id("lag")
    for reader in ("positions", "pnl"):
        expect(lag.get_by_role("rowheader", name=reader)).to_be_visible()
    other = open_as("trader")
    expect(other.page.get_by_role("link", name="System")).to_have_count(0)
    other.page.goto(f"{stack.url}/system/")
    expect(other.page.get_by_test_id("missing")).to_contain_text("for staff")


def test_totals_by_ticker_and_what_is_remembered(stack: RunningStack, open_as: Open) -> None:
    """Sums over accounts; chosen columns and accounts come back after a reload."""
    first, second = stack.desk(), stack.desk()
    for desk, quantity in ((first, 70), (second, 30)):
        stack.client("trader").book(desk, "KO", "buy", quantity, "60")
    page = open_as("trader")
    selector = page.page.get_by_test_id("account-selector")
    selector.get_by_role("button").first.click()
    selector.get_by_role("checkbox", name="All mine").set_checked(False)
    for desk in (first, second):
        selector.get_by_role("checkbox", name=desk).set_checked(True)
    page.page.keyboard.press("Escape")
    page.page.get_by_role("button", name="By ticker").click()
    totals = page.page.get_by_test_id("ticker-totals-grid")
    expect(totals.locator('.ag-row[row-id="KO"] [col-id="quantity"]')).to_have_text("100")
    expect(totals.locator('.ag-row[row-id="KO"] [col-id="rows"]')).to_have_text("2")
    page.page.get_by_role("button", name="Rows", exact=True).click()
    grid = page.page.get_by_test_id("positions-grid")
    grid.get_by_role("button", name="Columns").click()
    grid.get_by_label("Prev. close").uncheck()
    page.page.reload()
    page.wait_live()
    expect(page.position(first, "KO").first).to_be_visible()
    expect(page.position(second, "KO").first).to_be_visible()
    expect(grid.locator('[col-id="previous_close"]')).to_have_count(0)


def test_a_selected_position_narrows_the_trades(stack: RunningStack, open_as: Open) -> None:
    desk = stack.desk()
    for ticker in ("KO", "PEP"):
        stack.client("trader").book(desk, ticker, "buy", "1", "60")
    page = open_as("trader")
    page.watch_only(desk)
    rows = page.page.get_by_test_id("trades-grid").locator(".ag-row")
    expect(rows).to_have_count(2)
    page.position(desk, "KO").locator('[col-id="ticker"]').click()
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("KO")
    page.page.get_by_test_id("trades-only").click()
    expect(rows).to_have_count(2)
    # What is filtered twice is shown again by one button.
    page.position(desk, "KO").locator('[col-id="ticker"]').click()
    trades = page.page.get_by_test_id("trades-grid")
    trades.get_by_label("Filter trades").fill("PEP")
    trades.get_by_role("button", name="Show all").click()
    expect(rows).to_have_count(2)


def test_a_newly_chosen_account_shows_no_zero(stack: RunningStack, open_as: Open) -> None:
    """Every figure that was ever on the screen was one of the server's."""
    desk = stack.desk()
    stack.client("trader").book(desk, "KO", "buy", "10", "1")
    page = open_as("trader")
    page.watch_only("Test1")
    page.page.evaluate(
        """(account) => {
          window.seen = [];
          const look = () => {
            const card = document.querySelector(`[data-account="${account}"]`);
            const cell = card && card.querySelector("[data-field=trade_pnl]");
            if (cell) window.seen.push(cell.textContent.trim());
          };
          new MutationObserver(look).observe(document.body,
            {subtree: true, childList: true, characterData: true});
        }""",
        desk,
    )
    page.watch_only(desk)
    expect(page.total(desk, "trade_pnl")).to_contain_text("+")
    seen = page.page.evaluate("window.seen")
    assert seen[0] == "…"
    assert "0.00" not in seen


def test_the_skip_link_leads_to_the_page(open_as: Open) -> None:
    page = open_as("trader").page
    page.get_by_role("link", name="Skip to the page").press("Enter")
    expect(page.locator("#page")).to_be_focused()


def test_shortcuts_are_listed_and_lead_to_pages(open_as: Open) -> None:
    page = open_as("trader")
    page.page.keyboard.press("?")
    listed = page.page.get_by_test_id("help")
    expect(listed).to_contain_text("Go to Bulk booking")
    page.page.keyboard.press("Escape")
    expect(listed).to_have_count(0)
    page.page.keyboard.press("Alt+3")
    expect(page.page).to_have_title("Prices · eqtrade")
    page.page.go_back()
    expect(page.page).to_have_title("Positions · eqtrade")


@pytest.mark.parametrize("wrong", [False, True])
def test_the_password_can_be_changed(stack: RunningStack, open_as: Open, wrong: bool) -> None:
    """A wrong old one is told beside its field, and nothing changes."""
    # Nobody else's: a new password ends the tokens with which other tests ask.
    name = f"newcomer-{wrong}".lower()
    stack.shell(NEWCOMER.format(name=name, password=PASSWORD))
    page = open_as(name).page
    page.get_by_test_id("user-menu").get_by_role("button").first.click()
    page.get_by_role("link", name="Change password").click()
    page.get_by_label("Old password").fill("not it" if wrong else PASSWORD)
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("New password confirmation").fill(PASSWORD)
    page.get_by_role("button", name="Change password").click()
    if wrong:
        expect(page.locator("#old_password-error")).to_be_visible()
    else:
        expect(page.get_by_role("status")).to_contain_text("counts from now on")
    page.goto(stack.url)
