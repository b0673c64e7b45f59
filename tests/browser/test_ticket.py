"""The ticket by keyboard alone, and such that nothing is booked twice."""

from playwright.sync_api import expect

from tests.browser.blotter_page import cell
from tests.browser.conftest import Open
from tests.stack.examples import previous_session
from tests.stack.running import RunningStack


def test_a_trade_is_booked_without_the_mouse(stack: RunningStack, open_as: Open) -> None:
    desk = stack.desk()
    page = open_as("trader")
    page.watch_only(desk)
    keys = page.page.keyboard
    page.page.locator("#page").focus()
    keys.press("s")
    expect(page.page.get_by_test_id("ticket-ticker")).to_be_focused()
    # By its name; the arrow chooses from what is found.
    keys.type("pepsi")
    expect(page.page.get_by_test_id("ticker-option")).to_have_count(1)
    keys.press("ArrowDown")
    keys.press("Enter")
    expect(page.page.get_by_test_id("ticket-ticker")).to_have_value("PEP")
    # The live price is offered.
    expect(page.page.get_by_test_id("ticket-price")).not_to_have_value("")
    keys.press("Tab")
    expect(page.page.get_by_test_id("ticket-side-sell")).to_be_focused()
    expect(page.page.get_by_test_id("ticket-side-sell")).to_be_checked()
    keys.press("Tab")
    keys.type("12")
    keys.press("Enter")
    expect(page.result).to_contain_text("Sold 12 PEP")
    expect(cell(page.position(desk, "PEP"), "quantity")).to_have_text("−12")
    # Marked, so that the eye finds it.
    expect(page.page.locator(".ag-row.just-booked")).to_have_count(1)


def test_a_double_click_books_once(stack: RunningStack, open_as: Open) -> None:
    desk = stack.desk()
    page = open_as("trader")
    page.watch_only(desk)
    page.fill_ticket(desk, "KO", "5", "60")
    page.submit.dblclick()
    expect(page.result).to_contain_text("Booked")
    expect(cell(page.position(desk, "KO"), "quantity")).to_have_text("5")
    assert len(stack.client("trader").rows("trades/", account=desk)) == 1


def test_another_trade_date_and_a_wrong_one(stack: RunningStack, open_as: Open) -> None:
    """The server's complaint about the date stands beside the date."""
    desk, day = stack.desk(), previous_session(stack)
    page = open_as("trader")
    page.watch_only(desk)
    date = page.page.get_by_test_id("ticket-trade_date")
    page.fill_ticket(desk, "KO", "5", "60")
    date.fill("2026-01-01")
    date.press("Tab")
    page.submit.click()
    expect(page.error("trade_date")).not_to_be_empty()
    date.fill(day)
    date.press("Tab")
    page.submit.click()
    expect(page.result).to_contain_text("Booked")
    (booked,) = stack.client("trader").rows("trades/", account=desk)
    assert booked["trade_date"] == day
