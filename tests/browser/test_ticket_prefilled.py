"""The ticket begun from what is held, and quantities as people say them."""

import re

from playwright.sync_api import expect

from tests.browser.blotter_page import cell
from tests.browser.conftest import Open
from tests.stack.running import RunningStack


def test_a_position_is_reversed_and_closed_by_a_press(stack: RunningStack, open_as: Open) -> None:
    """All of it, however many decimals it has; nothing is offered of what is not held."""
    desk = stack.desk()
    stack.client("trader").book(desk, "KO", "buy", "1250.5", "60")
    page = open_as("trader")
    page.watch_only(desk)
    find = page.page.get_by_test_id
    page.fill_ticket(desk, "PEP", "5", "90")
    held = find("ticket-held")
    expect(held.get_by_role("button")).to_have_count(0)
    quantity = find("ticket-quantity")
    for name, typed, booked, left in (
        ("Reverse", "2501", "Sold 2,501 KO @ 61.00", "−1,250.5"),
        ("Close", "1250.5", "Bought 1,250.5 KO @ 61.00", "0"),
    ):
        page.pick_ticker("KO")
        page.price.fill("61")
        held.get_by_role("button", name=name).click()
        expect(quantity).to_be_focused()
        expect(quantity).to_have_value(typed)
        page.page.keyboard.press("Enter")
        expect(page.result).to_contain_text(booked)
        expect(cell(page.position(desk, "KO"), "quantity")).to_have_text(left)
    expect(held.get_by_role("button")).to_have_count(0)


def test_what_a_trade_would_do_follows_what_others_book(stack: RunningStack, open_as: Open) -> None:
    """Typed and not yet booked, it tells of what is held now, not of what was held then."""
    desk, trader = stack.desk(), stack.client("trader")
    trader.book(desk, "KO", "buy", "100", "60")
    page = open_as("trader")
    page.watch_only(desk)
    page.fill_ticket(desk, "KO", "10", "60")
    effect = page.page.get_by_test_id("ticket-effect").locator('[data-field="position"]')
    expect(effect).to_have_text("100 → 110")
    trader.book(desk, "KO", "buy", "400", "60")
    expect(effect).to_have_text("500 → 510")


def test_a_limit_is_told_before_it_is_exceeded(stack: RunningStack, open_as: Open) -> None:
    desk, admin = stack.desk(), stack.client("admin")
    rows = [{"account": desk, "kind": "gross", "amount": "1000"}]
    answer = admin.session.put(f"{admin.url}/api/v1/limits/", json=rows, timeout=60)
    assert answer.status_code == 200, answer.text
    page = open_as("trader")
    page.watch_only(desk)
    page.fill_ticket(desk, "KO", "100", "60")
    effect = page.page.get_by_test_id("ticket-effect")
    expect(effect.locator("dd.warn")).to_have_text(re.compile(r"^[\d,.]+% of 1,000\.00$"))
    assert trader_has_nothing(stack, desk)


def trader_has_nothing(stack: RunningStack, desk: str) -> bool:
    return stack.client("trader").rows("trades/", account=desk) == []


def test_quantities_are_taken_as_people_say_them(stack: RunningStack, open_as: Open) -> None:
    desk = stack.desk()
    page = open_as("trader")
    page.watch_only(desk)
    effect = page.page.get_by_test_id("ticket-effect").locator('[data-field="position"]')
    for typed, shown in (("10k", "0 → 10,000"), ("1.5m", "0 → 1,500,000"), ("2,000", "0 → 2,000")):
        page.fill_ticket(desk, "KO", typed, "60")
        expect(effect).to_have_text(shown)
    page.page.get_by_test_id("ticket-quantity").fill("10q")
    page.submit.click()
    expect(page.error("quantity")).to_have_text(re.compile("More than 0"))
    page.fill_ticket(desk, "KO", "0.5k", "$60.50")
    page.submit.click()
    expect(page.result).to_contain_text("Bought 500 KO @ 60.50")
