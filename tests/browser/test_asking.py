"""The ticket asks: what a trade would do, what guards ask of it, and how that is answered."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.stack.running import RunningStack


def guard(stack: RunningStack, account: str, **limits: dict[str, str]) -> None:
    rows: list[dict[str, Any]] = [
        {
            "account": account,
            "code": code,
            "warn": of.get("warn"),
            "refuse": of.get("refuse"),
            "is_active": True,
        }
        for code, of in limits.items()
    ]
    admin = stack.client("admin")
    answer = admin.session.put(f"{admin.url}/api/v1/guards/", json=rows, timeout=60)
    assert answer.status_code == 200, answer.text


@pytest.fixture
def desk(stack: RunningStack) -> Iterator[str]:
    desk = stack.desk()
    override = stack.client("admin").override("KO", "60")
    guard(
        stack,
        desk,
        off_mark={"warn": "3", "refuse": "50"},
        large_quantity={"warn": "1000", "refuse": "1000000"},
    )
    yield desk
    stack.client("admin").end_override(override)


def test_what_is_unusual_is_asked_and_confirmed_by_keys(
    stack: RunningStack, desk: str, open_as: Open
) -> None:
    """Enter goes back to editing; Ctrl+Enter confirms, and not while the key is held down."""
    page = open_as("trader")
    page.watch_only(desk)
    page.fill_ticket(desk, "KO", "2000", "63")
    effect = page.page.get_by_test_id("ticket-effect")
    expect(effect.locator('[data-field="position"]')).to_have_text("0 → 2,000")
    expect(effect.locator('[data-field="notional"]')).to_have_text("126,000.00")
    expect(effect.locator('[data-field="slippage"]')).to_contain_text("+5.00% of 60.00")
    keys = page.page.keyboard
    page.price.press("Enter")
    question = page.page.get_by_test_id("ticket-question")
    expect(question).to_be_focused()
    expect(question.locator("li")).to_have_count(2)
    assert stack.client("trader").rows("trades/", account=desk) == []
    keys.press("Enter")
    expect(question).to_have_count(0)
    expect(page.page.locator("#ticket-price:focus, #ticket-quantity:focus")).to_have_count(1)
    page.price.press("Enter")
    expect(question).to_be_focused()
    # A key that is held down says the same again and again.
    keys.down("Control")
    page.page.evaluate(
        """() => document.activeElement.dispatchEvent(new KeyboardEvent("keydown",
             {key: "Enter", ctrlKey: true, repeat: true, bubbles: true}))"""
    )
    keys.up("Control")
    expect(question).to_be_visible()
    assert stack.client("trader").rows("trades/", account=desk) == []
    keys.press("Control+Enter")
    expect(page.result).to_contain_text("Bought 2,000 KO @ 63.00")
    assert len(stack.client("trader").rows("trades/", account=desk)) == 1


def test_other_terms_are_another_question(desk: str, open_as: Open) -> None:
    page = open_as("trader")
    page.watch_only(desk)
    page.fill_ticket(desk, "KO", "2000", "60")
    page.submit.click()
    question = page.page.get_by_test_id("ticket-question")
    expect(question).to_be_visible()
    page.page.get_by_test_id("ticket-quantity").fill("3000")
    expect(question).to_have_count(0)


def test_what_is_refused_is_red_and_asks_nothing(desk: str, open_as: Open) -> None:
    page = open_as("trader")
    page.watch_only(desk)
    page.fill_ticket(desk, "KO", "10", "600")
    refused = page.page.get_by_test_id("ticket-effect").locator(".refuse")
    expect(refused).to_contain_text("above the mark")
    page.submit.click()
    expect(page.error("price")).to_contain_text("above the mark")
    expect(page.page.get_by_test_id("ticket-question")).to_have_count(0)


def test_rows_to_check_stand_apart_from_ready_ones(stack: RunningStack, open_as: Open) -> None:
    """By the keyboard: Enter leaves all as it was, Ctrl+Enter books them."""
    asks, books = stack.desk(), stack.desk()
    guard(stack, asks, large_quantity={"warn": "0.5"})
    page = open_as("trader")
    page.go("Bulk booking")
    page.generate(30, asks, books)
    grid = page.page.get_by_test_id("bulk-grid")
    state = grid.locator('.ag-row [col-id="state"]')
    expect(state.filter(has_text="Check")).to_have_count(0)
    keys, question = page.page.keyboard, page.page.get_by_test_id("bulk-question")
    for answer in ("Enter", "Control+Enter"):
        page.page.get_by_test_id("bulk-book").focus()
        keys.press("Enter")
        expect(question).to_be_focused()
        expect(question).to_contain_text("The quantity is")
        rows = grid.locator(".ag-row")
        of_asked = rows.filter(has_text=asks).first
        expect(of_asked.locator('[col-id="state"]')).to_have_text("Check")
        expect(of_asked.locator('[col-id="problem"]')).to_contain_text("The quantity is")
        expect(rows.filter(has_text=books).first.locator('[col-id="state"]')).to_have_text("Ready")
        assert stack.client("trader").rows("trades/", account=books) == []
        keys.press(answer)
        expect(question).to_have_count(0)
        if answer == "Enter":
            expect(state.filter(has_text="Check")).to_have_count(0)
    expect(page.page.get_by_test_id("bulk-booked")).to_have_text("30 booked")


def test_a_limit_that_is_exceeded_is_told_at_once(stack: RunningStack, open_as: Open) -> None:
    desk = stack.desk()
    admin, trader = stack.client("admin"), stack.client("trader")
    rows = [{"account": desk, "kind": "gross", "amount": "100"}]
    answer = admin.session.put(f"{admin.url}/api/v1/limits/", json=rows, timeout=60)
    assert answer.status_code == 200, answer.text
    page = open_as("trader")
    page.watch_only(desk)
    notice = page.page.get_by_test_id("breach-notice")
    expect(notice).to_have_count(0)
    booked = trader.book(desk, "KO", "buy", "100", "60")
    expect(notice).to_contain_text(f"Limit exceeded: Gross of {desk}")
    trader.post(f"trades/{booked['id']}/cancel/", version=1, reason="a test")
    expect(notice).to_have_count(0)


def test_middle_office_sets_a_guard_and_sees_what_it_asked(
    stack: RunningStack, open_as: Open
) -> None:
    desk = stack.desk()
    office = open_as("middleoffice")
    office.go("Guards")
    page = office.page
    form = page.get_by_role("form", name="Set a guard")
    form.get_by_label("Guard").select_option(label="Large quantity")
    form.get_by_label("Account").select_option(desk)
    form.get_by_label("Asks above").fill("a lot")
    form.get_by_role("button", name="Set").click()
    expect(page.get_by_role("alert")).to_be_visible()
    form.get_by_label("Asks above").fill("100")
    form.get_by_role("button", name="Set").click()
    row = page.get_by_test_id("guards").locator("tr", has_text=desk)
    expect(row).to_contain_text("Large quantity")
    expect(page.get_by_role("alert")).to_have_count(0)

    trader = stack.client("trader")
    order = {"account": desk, "ticker": "KO", "side": "buy", "quantity": "101", "price": "60"}
    asked = trader.session.post(f"{trader.url}/api/v1/trades/", json=order, timeout=60)
    assert asked.status_code == 409
    order["confirm"] = asked.json()["confirm"]
    assert trader.session.post(f"{trader.url}/api/v1/trades/", json=order).status_code == 201
    page.reload()
    confirmed = page.get_by_test_id("asked").locator("tr", has_text=desk)
    expect(confirmed).to_contain_text("Buy 101 KO @ 60.00")
    expect(confirmed).to_contain_text("trader")

    page.get_by_role("button", name=f"Change Large quantity of {desk}").click()
    expect(form.get_by_label("Guard")).to_be_focused()
    expect(form.get_by_label("Asks above")).to_have_value("100")
    form.get_by_label("Active").uncheck()
    form.get_by_role("button", name="Set").click()
    expect(row).to_contain_text("off")
    order["quantity"] = "102"
    order.pop("confirm")
    assert trader.session.post(f"{trader.url}/api/v1/trades/", json=order).status_code == 201
