"""P&L explained: the server's figures as steps to the total, and the trades behind them."""

from decimal import Decimal

from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.stack.examples import business_date, previous_session
from tests.stack.running import RunningStack


def test_steps_lead_to_the_total_and_to_the_trades(stack: RunningStack, open_as: Open) -> None:
    desk, trader = stack.desk(), stack.client("trader")
    # Of the session before, so behind none of today's.
    trader.book(desk, "PEP", "buy", 3, 2, trade_date=previous_session(stack))
    for ticker, quantity in (("KO", 100), ("PEP", 5)):
        trader.book(desk, ticker, "buy", quantity, 1)
    page = open_as("trader")
    page.watch_only(desk)
    expect(page.position(desk, "PEP").first).to_be_visible()
    today = business_date(stack)
    page.page.goto(f"{stack.url}/pnl/?by=contributors&from={today}&to={today}")
    found = page.page.get_by_test_id("contributors")
    names = found.locator("[data-step]")
    expect(names).to_have_count(3)
    shown = [
        Decimal(each.locator(".figure").inner_text().replace(",", "").replace("−", "-"))
        for each in names.all()
    ]
    assert [each.get_attribute("data-step") for each in names.all()] == ["KO", "PEP", "Total"]
    assert sum(shown[:-1]) == shown[-1]
    # Prices move, and move 108 shares bought for little by little.
    [row] = trader.rows("pnl/", account=desk, by="account")
    assert abs(Decimal(row["total_pnl"]) - shown[-1]) < shown[-1] / 20
    tiles = page.page.get_by_test_id("treemap").get_by_role("button")
    expect(tiles).to_have_count(2)
    found.get_by_role("button", name="PEP", exact=True).focus()
    page.page.keyboard.press("Enter")
    behind = page.page.get_by_test_id("behind")
    expect(behind.locator("li")).to_have_count(1)
    expect(behind).to_contain_text("Buy 5 @ 1.00")
    behind.get_by_role("button", name="Details").click()
    expect(page.page.get_by_test_id("versions")).to_be_visible()
    page.page.reload()
    expect(names).to_have_count(3)
