"""Ranges of cells in a grid, and what is copied of them."""

from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.blotter_page import BlotterPage, cell
from tests.browser.conftest import Open
from tests.stack.running import RunningStack


@pytest.fixture
def held(stack: RunningStack) -> str:
    desk, trader = stack.desk(), stack.client("trader")
    for ticker, side, quantity in (
        ("KO", "buy", "1000"),
        ("PEP", "sell", "2500"),
        ("PG", "buy", "40"),
    ):
        trader.book(desk, ticker, side, quantity, "60.5")
    return desk


def opened(open_as: Open, desk: str) -> BlotterPage:
    page = open_as("trader")
    page.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.watch_only(desk)
    expect(cell(page.position(desk, "PEP"), "quantity")).to_have_text("−2,500")
    return page


def copied(page: BlotterPage) -> list[list[str]]:
    text: str = page.page.evaluate("navigator.clipboard.readText()")
    return [line.split("\t") for line in text.split("\r\n")]


def drag(page: BlotterPage, start: Locator, end: Locator) -> None:
    start.hover()
    page.page.mouse.down()
    end.hover()
    page.page.mouse.up()


def test_a_range_is_dragged_summed_and_copied(held: str, open_as: Open) -> None:
    """As plain numbers with an ASCII minus; the drag neither selects a row nor narrows anything."""
    page = opened(open_as, held)
    first, last = page.position(held, "KO"), page.position(held, "PG")
    drag(page, cell(first, "ticker"), cell(last, "quantity"))
    expect(page.page.locator(".in-range")).to_have_count(6)
    foot = page.page.get_by_test_id("positions-grid-foot")
    for field, shown in (("sum", "−1,460"), ("average", "−486.6667"), ("count", "3")):
        expect(foot.locator(f'[data-field="{field}"]')).to_have_text(shown)
    expect(page.page.get_by_test_id("trades-only")).to_have_count(0)
    page.page.keyboard.press("Control+C")
    expect(foot).to_contain_text("6 cells copied")
    assert copied(page) == [["KO", "1000"], ["PEP", "-2500"], ["PG", "40"]]
    page.page.keyboard.press("Escape")
    expect(page.page.locator(".in-range")).to_have_count(0)


def test_shift_and_arrows_select_and_headers_are_copied(held: str, open_as: Open) -> None:
    page = opened(open_as, held)
    keys = page.page.keyboard
    cell(page.position(held, "KO"), "quantity").click()
    keys.press("Control+C")
    expect(page.page.get_by_test_id("positions-grid-foot")).to_contain_text("Copied")
    assert copied(page) == [["1000"]]
    for key in ("ArrowDown", "ArrowDown", "ArrowLeft"):
        keys.press(f"Shift+{key}")
    expect(page.page.locator(".in-range")).to_have_count(6)
    keys.press("Control+Alt+C")
    expect(page.page.get_by_test_id("positions-grid-foot")).to_contain_text("6 cells copied")
    assert copied(page) == [
        ["Ticker", "Quantity"],
        ["KO", "1000"],
        ["PEP", "-2500"],
        ["PG", "40"],
    ]


def test_ticks_do_not_move_what_is_selected(stack: RunningStack, held: str, open_as: Open) -> None:
    """Rows that change places by a price take the selection, and the focus, with them."""
    page = opened(open_as, held)
    admin = stack.client("admin")
    overrides: list[Any] = [admin.override("KO", "70"), admin.override("PG", "90")]
    try:
        values = page.page.get_by_test_id("positions-grid")
        expect(cell(page.position(held, "KO"), "market_value")).to_have_text("70,000.00")
        values.locator('.ag-header-cell[col-id="market_value"] .ag-header-cell-label').click()
        drag(
            page,
            cell(page.position(held, "PG"), "ticker"),
            cell(page.position(held, "KO"), "quantity"),
        )
        expect(page.page.locator(".in-range")).to_have_count(4)
        overrides += [admin.override("KO", "0.5")]
        expect(cell(page.position(held, "KO"), "market_value")).to_have_text("500.00")
        expect(page.position(held, "KO").first).to_have_attribute("row-index", "1")
        page.page.keyboard.press("Control+C")
        expect(page.page.get_by_test_id("positions-grid-foot")).to_contain_text("copied")
        assert sorted(copied(page)) == [["KO", "1000"], ["PG", "40"]]
    finally:
        for override in overrides:
            admin.end_override(override)
