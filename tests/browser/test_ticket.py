"""The ticket by keyboard alone, and such that nothing is booked twice."""

import re

import pytest
from playwright.sync_api import Route, expect

from tests.browser.blotter_page import cell
from tests.browser.conftest import Open
from tests.stack.examples import business_date, previous_session
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
    expect(page.price).not_to_have_value("")
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


@pytest.mark.parametrize("is_slow", [False, True])
@pytest.mark.parametrize(
    ("typed", "after", "booked"),
    [
        ("pep", ["Enter", "1", "2", "Enter"], "Sold 12 PEP"),
        ("pepsi", ["ArrowDown", "Enter", "Tab", "Tab", "1", "2", "Enter"], "Sold 12 PEP"),
    ],
)
def test_the_same_keys_book_the_same_however_slow_the_network_is(
    stack: RunningStack, open_as: Open, is_slow: bool, typed: str, after: list[str], booked: str
) -> None:
    """Neither the list of tickers nor the price has come when the last key is pressed."""
    page = open_as("trader")
    page.watch_only(stack.desk())
    held: list[Route] = []
    if is_slow:
        for path in ("instruments", "prices"):
            page.page.route(re.compile(rf"/api/v1/{path}/\?"), lambda route: held.append(route))
    page.page.locator("#page").focus()
    page.page.keyboard.press("s")
    page.page.keyboard.type(typed)
    if not is_slow and "ArrowDown" in after:
        expect(page.page.get_by_test_id("ticker-option")).to_have_count(1)
    for key in after:
        page.page.keyboard.press(key)
    if is_slow:
        expect(page.page.get_by_test_id("ticket-quantity")).to_have_value("12")
        expect(page.submit).to_be_disabled()
        # What is let go may ask for more.
        while not held or page.result.inner_text() == "":
            for route in held:
                route.continue_()
            held.clear()
            page.page.wait_for_timeout(100)
    expect(page.result).to_contain_text(booked)
    expect(page.result).not_to_contain_text("@ 0.00")


def test_a_note_is_typed_booked_and_shown(stack: RunningStack, open_as: Open) -> None:
    """By keyboard, under "More"; closed, that says what it holds, so that none is booked unseen."""
    desk = stack.desk()
    page = open_as("trader")
    page.watch_only(desk)
    page.fill_ticket(desk, "KO", "5", "60")
    keys, note = page.page.keyboard, page.page.get_by_test_id("ticket-note")
    expect(note).to_be_hidden()
    page.price.press("Tab")
    keys.press("Enter")
    keys.press("Tab")
    expect(note).to_be_focused()
    keys.insert_text("n" * 250)
    expect(note).to_have_value("n" * 200)
    note.fill("  By telephone, see mail ")
    more = page.page.get_by_test_id("ticket-more").locator("summary")
    more.press("Enter")
    expect(note).to_be_hidden()
    expect(more).to_have_text("More: Note")
    more.press("Enter")
    note.press("Enter")
    expect(page.result).to_contain_text("Bought 5 KO @ 60.00")
    expect(page.result).to_contain_text("Note: By telephone, see mail.")
    (booked,) = stack.client("trader").rows("trades/", account=desk)
    assert booked["note"] == "By telephone, see mail"
    # The next trade has none unless it is typed.
    expect(note).to_have_value("")
    drawer = page.open_trade(booked["id"])
    expect(drawer.locator('[data-version="1"]')).to_contain_text("By telephone, see mail")


def test_a_price_of_0_is_booked_where_it_is_meant(stack: RunningStack, open_as: Open) -> None:
    """What must be said beside it appears with it, and goes with it."""
    desk = stack.desk()
    page = open_as("trader")
    page.watch_only(desk)
    page.fill_ticket(desk, "KO", "3.3333333333", "60")
    meant, note = (page.page.get_by_test_id(f"ticket-{name}") for name in ("price_zero", "note"))
    expect(meant).to_have_count(0)
    page.price.fill("0")
    page.price.press("Tab")
    expect(meant).to_be_visible()
    page.submit.click()
    expect(page.error("price_zero")).not_to_be_empty()
    expect(page.error("note")).not_to_be_empty()
    expect(meant).to_be_focused()
    meant.check()
    expect(page.error("price_zero")).to_be_empty()
    # Another price takes it back.
    page.price.fill("60")
    expect(meant).to_have_count(0)
    page.price.fill("0.00")
    expect(meant).not_to_be_checked()
    meant.check()
    note.fill("Free shares")
    page.submit.click()
    expect(page.result).to_contain_text("Bought 3.3333333333 KO @ 0.00")
    expect(page.result).to_contain_text("Note: Free shares")
    booked = stack.client("trader").rows("trades/", account=desk)[0]
    assert (booked["price"], booked["note"]) == ("0", "Free shares")
    row = page.trade(booked["id"])
    expect(cell(row, "quantity")).to_have_text("3.333333…")
    expect(cell(row, "price")).to_have_text("0.00")


def test_a_past_day_alone_has_no_time(stack: RunningStack, open_as: Open) -> None:
    desk = stack.desk()
    page = open_as("trader")
    page.watch_only(desk)
    client, day = stack.client("trader"), previous_session(stack)
    without = client.book(desk, "KO", "buy", 1, 60, trade_date=day)
    with_time = client.book(desk, "KO", "buy", 1, 60, executed_at=f"{day}T10:15:00-05:00")
    for trade, said in ((without, "no time"), (with_time, "executed")):
        drawer = page.open_trade(trade["id"])
        expect(drawer.get_by_test_id("drawer-executed")).to_contain_text(f"Dated {day}, {said}")
        page.page.keyboard.press("Escape")


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
    said = page.page.get_by_test_id("ticket-dated")
    expect(said).to_contain_text(f"Not today: this trade is dated {day}")
    expect(page.submit).to_contain_text(f"as of {day}")
    page.submit.click()
    expect(page.result).to_contain_text(f"in {desk}, dated {day}")
    (booked,) = stack.client("trader").rows("trades/", account=desk)
    assert booked["trade_date"] == day
    # The date was that trade's: the next one is of today, and says so.
    today = business_date(stack)
    expect(date).to_have_value(today)
    expect(said).to_have_count(0)
    page.fill_ticket(desk, "KO", "6", "60")
    page.submit.click()
    expect(page.result).to_contain_text(f"Bought 6 KO @ 60.00 in {desk}, dated {today}")


def test_a_past_date_is_taken_back_with_one_press(stack: RunningStack, open_as: Open) -> None:
    page = open_as("trader")
    page.watch_only(stack.desk())
    date = page.page.get_by_test_id("ticket-trade_date")
    date.fill(previous_session(stack))
    date.press("Tab")
    page.page.get_by_role("button", name="Date it today").click()
    expect(date).to_have_value(business_date(stack))
    expect(page.page.get_by_test_id("ticket-dated")).to_have_count(0)


def test_a_price_is_not_booked_on_another_ticker(stack: RunningStack, open_as: Open) -> None:
    """Enter in the ticker's field, before its price has come, only shows the price."""
    desk = stack.desk()
    page = open_as("trader")
    page.watch_only(desk)
    ticker, price = page.page.get_by_test_id("ticket-ticker"), page.price
    page.fill_ticket(desk, "KO", "5", "1.23")
    # The list of instruments never opens, so that nothing is chosen from it.
    page.page.route("**/api/v1/instruments/**", lambda route: route.abort())
    ticker.fill("pep")
    ticker.press("Enter")
    expect(price).to_be_focused()
    expect(price).not_to_have_value("1.23")
    expect(page.result).to_contain_text("PEP")
    assert stack.client("trader").rows("trades/", account=desk) == []
    price.press("Enter")
    expect(page.result).to_contain_text("Bought 5 PEP")
    (booked,) = stack.client("trader").rows("trades/", account=desk)
    assert booked["ticker"] == "PEP"
    assert float(booked["price"]) > 2


def test_an_old_price_does_not_wait_for_the_new_ones(stack: RunningStack, open_as: Open) -> None:
    page = open_as("trader")
    page.watch_only(stack.desk())
    page.pick_ticker("KO")
    expect(page.price).not_to_have_value("")
    # No answer comes.
    page.page.route(re.compile(r"/api/v1/prices/\?ticker="), lambda _: None)
    page.pick_ticker("NOSUCH")
    # Sooner than the page gives up asking.
    expect(page.price).to_have_value("", timeout=3_000)


def test_a_ticket_begun_again_has_the_price_of_now(stack: RunningStack, open_as: Open) -> None:
    page = open_as("trader")
    page.watch_only(stack.desk())
    page.pick_ticker("PEP")
    expect(page.price).not_to_have_value("")
    admin = stack.client("admin")
    override = admin.override("PEP", "77.77")
    try:
        expect(page.page.get_by_title("Use the live price")).to_contain_text("77.77")
        expect(page.price).not_to_have_value("77.77")
        page.page.locator("#page").focus()
        page.page.keyboard.press("b")
        expect(page.price).to_have_value("77.77")
    finally:
        admin.end_override(override)


def test_the_next_trade_may_follow_at_once(stack: RunningStack, open_as: Open) -> None:
    desk = stack.desk()
    page = open_as("trader")
    page.watch_only(desk)
    page.fill_ticket(desk, "KO", "5", "60")
    # As soon as the field is empty again, in the page itself: faster than any test's own steps.
    page.page.evaluate(
        """() => {
            const quantity = document.getElementById("ticket-quantity");
            const timer = setInterval(() => {
                if (quantity.value !== "") return;
                clearInterval(timer);
                quantity.value = "7";
                quantity.dispatchEvent(new Event("input", {bubbles: true}));
                document.getElementById("ticket-price").value = "61";
                document.getElementById("ticket-price").dispatchEvent(new Event("input"));
                quantity.form.requestSubmit();
            }, 5);
        }"""
    )
    page.submit.click()
    expect(page.result).to_contain_text("Bought 7 KO")
    assert len(stack.client("trader").rows("trades/", account=desk)) == 2


def test_a_booked_trade_comes_into_sight(stack: RunningStack, open_as: Open) -> None:
    """Also where the rows are sorted such that it is far from the first."""
    desk = stack.desk()
    terms = {"account": desk, "ticker": "KO", "side": "buy", "quantity": "1", "price": "60"}
    answer = stack.client("trader").post("trades/bulk/", trades=[terms] * 80)
    assert answer.status_code == 201, answer.text
    page = open_as("trader")
    page.watch_only(desk)
    grid = page.page.get_by_test_id("trades-grid")
    expect(page.trades().first).to_be_visible()
    grid.locator('.ag-header-cell[col-id="ticker"]').click()
    page.fill_ticket(desk, "PEP", "3", "150")
    page.submit.click()
    expect(page.result).to_contain_text("Bought 3 PEP")
    expect(page.page.locator(".ag-row.just-booked")).to_be_in_viewport()
