"""Grids: figures that are never cut, ranges of cells, and what is copied of them."""

import itertools
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.blotter_page import BlotterPage, cell
from tests.browser.chromium import how
from tests.browser.conftest import Open
from tests.browser.test_held_back import HOLD
from tests.stack.eventually import eventually
from tests.stack.running import PASSWORD, RunningStack

CUT = """
(grid) => [...grid.querySelectorAll(".ag-cell, .ag-header-cell-text")]
  .flatMap((cell) => [cell, ...cell.querySelectorAll(".figure")])
  .filter((each) => each.scrollWidth > each.clientWidth + 1 && each.matches(
     ".ag-right-aligned-cell, .figure, .ag-header-cell-text"))
  .map((each) => each.textContent)
"""
"""Figures and headings that have less room than they need."""
COVERED = """
(box) => {
  const edge = box.getBoundingClientRect().top + box.clientTop + box.clientHeight;
  return [...box.querySelectorAll("[data-field]")]
    .filter((each) => each.getBoundingClientRect().bottom > edge + 0.5)
    .map((each) => each.textContent);
}
"""
"""Figures that lie beneath the scroll bar of the box they are in."""
BAR = 17
"""The width of a scroll bar, in pixels."""
POINTS = """
(cells) => cells.map((cell) => {
  const text = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT).nextNode();
  const at = text.textContent.search(/[.\u2008]/);
  const range = document.createRange();
  range.setStart(text, at);
  range.setEnd(text, at + 1);
  return range.getBoundingClientRect().left;
})
"""
"""Where the point of each figure stands, or the space that has its place."""


def test_no_figure_of_a_grid_is_cut(stack: RunningStack, open_as: Open) -> None:
    """However large: columns grow with what comes, and at both ends of the list."""
    desk, trader = stack.desk(), stack.client("trader")
    page = open_as("trader")
    page.page.set_viewport_size({"width": 1440, "height": 900})
    page.watch_only(desk)
    trader.book(desk, "KO", "buy", 5, 60)
    expect(page.position(desk, "KO").first).to_be_visible()
    trader.book(desk, "PEP", "buy", "999999999", "99999.9999")
    trader.book(desk, "PG", "sell", "10000300.5", "1.00005")
    for ticker in ("PEP", "PG"):
        expect(cell(page.position(desk, ticker), "total_pnl")).to_contain_text(",")
    for name in ("positions-grid", "trades-grid"):
        grid = page.page.get_by_test_id(name)
        for _ in range(3):
            expect(grid.locator(".ag-row")).not_to_have_count(0)
            assert cut(grid) == []
            grid.locator(".ag-row").first.hover()
            page.page.mouse.wheel(600, 0)
            page.page.wait_for_timeout(200)
    page.page.get_by_role("button", name="By ticker").click()
    totals = page.page.get_by_test_id("ticker-totals-grid")
    expect(totals.locator('.ag-row[row-id="PEP"] [col-id="quantity"]')).to_have_text("999,999,999")
    assert cut(totals) == []


def cut(grid: Locator) -> list[str]:
    found: list[str] = grid.evaluate(CUT)
    return found


@pytest.fixture(scope="module")
def with_scrollbars(stack: RunningStack, chromium: Browser) -> Iterator[Page]:
    browser = chromium.browser_type.launch(**how(scrollbars=True))
    page = browser.new_page(viewport={"width": 1440, "height": 900}, locale="en-GB")
    page.set_default_timeout(60_000)
    page.goto(f"{stack.url}/")
    page.get_by_label("User name").fill("middleoffice")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    BlotterPage(page).wait_live()
    yield page
    browser.close()


@pytest.mark.parametrize("width", [1440, 1280])
def test_no_scroll_bar_covers_a_total(with_scrollbars: Page, width: int) -> None:
    page = with_scrollbars
    page.set_viewport_size({"width": width, "height": 900})
    selector = page.get_by_test_id("account-selector")
    selector.get_by_role("button").first.click()
    selector.get_by_role("checkbox", name="All mine").set_checked(False)
    for account in ("Test1", "Test2", "Test3", "Test4"):
        selector.get_by_role("checkbox", name=account).set_checked(True)
    page.keyboard.press("Escape")
    bar = page.get_by_test_id("totals-bar")
    expect(bar.locator("[data-account]")).to_have_count(5)
    for box in (bar, page.get_by_test_id("totals-accounts")):
        assert box.evaluate(COVERED) == []


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
    # An arrow alone goes on from the focused cell, with that cell alone.
    keys.press("ArrowDown")
    expect(page.page.locator(".in-range")).to_have_count(0)
    keys.press("Control+C")
    expect(page.page.get_by_test_id("positions-grid-foot")).to_contain_text("Copied")
    assert copied(page) == [["-2500"]]


def test_ticks_do_not_move_what_is_selected(stack: RunningStack, held: str, open_as: Open) -> None:
    """Rows that change places by a price take the selection, and the focus, with them."""
    page = opened(open_as, held)
    # Columns out of sight are not drawn: from quantity to market value in one window.
    page.page.set_viewport_size({"width": 1920, "height": 1080})
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


def test_net_pnl_is_in_sight_at_1440_whatever_the_figures(
    stack: RunningStack, open_as: Open
) -> None:
    desk = stack.desk()
    stack.client("trader").book(desk, "KO", "buy", 1_000_000_000, "0.01")
    stack.client("trader").book(desk, "PEP", "sell", 1_000_000_000, "999")
    page = open_as("trader")
    page.page.set_viewport_size({"width": 1440, "height": 900})
    page.watch_only(desk)
    edge = page.page.get_by_test_id("positions-grid").bounding_box()
    for ticker in ("KO", "PEP"):
        net = cell(page.position(desk, ticker), "net_pnl")
        # Tens of billions, to the cent.
        expect(net).to_have_text(re.compile(r"^[+−]\d{2,3}(,\d{3}){3}\.\d{2}$"))
        page.page.wait_for_function(
            "(cell) => cell.scrollWidth <= cell.clientWidth", arg=net.element_handle()
        )
        box = net.bounding_box()
        assert edge is not None
        assert box is not None
        assert box["x"] + box["width"] <= edge["x"] + edge["width"]


def test_every_column_of_positions_is_in_sight_at_1920(held: str, open_as: Open) -> None:
    """Also beside a scroll bar, for which the room of one is left; figures of the size that is
    usual."""
    page = open_as("trader")
    page.page.set_viewport_size({"width": 1920 - BAR, "height": 1080})
    page.watch_only(held)
    # Figures of the accounts that were watched before have widened columns.
    page.page.reload()
    expect(cell(page.position(held, "PEP"), "quantity")).to_have_text("−2,500")
    grid = page.page.get_by_test_id("positions-grid")

    def all_fit() -> None:
        assert cut(grid) == []
        heading = grid.locator('.ag-header-cell[col-id="updated_at"]').bounding_box()
        edge = grid.bounding_box()
        assert heading is not None
        assert edge is not None
        assert heading["x"] + heading["width"] <= edge["x"] + edge["width"]

    eventually(all_fit)


def test_a_column_is_narrow_again_without_its_large_figure(
    stack: RunningStack, open_as: Open
) -> None:
    """Once other rows are shown, and kept so; not while somebody reads these."""
    large, small, trader = stack.desk(), stack.desk(), stack.client("trader")
    trader.book(large, "KO", "buy", "5", "60")
    trade = trader.book(large, "PEP", "buy", "999999999", "99999.9999")["id"]
    trader.book(small, "KO", "buy", "5", "60")
    page = open_as("trader")
    page.page.set_viewport_size({"width": 1920, "height": 1080})
    page.watch_only(small)
    expect(page.position(small, "KO").first).to_be_visible()
    heading = page.page.get_by_test_id("positions-grid").locator(
        '.ag-header-cell[col-id="total_pnl"]'
    )

    def width() -> float:
        box = heading.bounding_box()
        assert box is not None
        return box["width"]

    def is_narrow() -> None:
        # What is left of the grid's width is shared, also by headings that have their arrow or not.
        assert abs(width() - narrow) <= 12

    narrow = width()
    page.watch_only(large)
    expect(cell(page.position(large, "PEP"), "total_pnl")).to_contain_text(",")

    def is_wide() -> None:
        assert width() > narrow + 40

    eventually(is_wide)
    wide = width()
    # A sort is kept, and with it how wide each column is; that is not what a figure made it.
    heading.locator(".ag-header-cell-label").click()
    wide = max(wide, width())
    trader.post(f"trades/{trade}/cancel/", version=1, reason="a test")
    expect(page.position(large, "PEP")).to_have_count(0)
    page.page.wait_for_timeout(1_500)
    assert width() >= wide
    heading.locator(".ag-header-cell-label").click(click_count=2, delay=50)
    page.watch_only(small)
    expect(page.position(small, "KO").first).to_be_visible()
    eventually(is_narrow)
    page.page.reload()
    expect(page.position(small, "KO").first).to_be_visible()
    eventually(is_narrow)


def test_why_a_row_is_to_be_checked_is_said_whole(stack: RunningStack, open_as: Open) -> None:
    desk, admin = stack.desk(), stack.client("admin")
    stack.client("trader").book(desk, "KO", "buy", "10", "60")
    page = open_as("trader")
    page.page.set_viewport_size({"width": 1920, "height": 1080})
    page.watch_only(desk)
    stack.shell(HOLD)
    try:
        check = cell(page.position(desk, "KO"), "pnl_reason")
        expect(check).to_have_text("Doubtful")
        page.page.wait_for_function(
            "(cell) => cell.scrollWidth <= cell.clientWidth", arg=check.element_handle()
        )
    finally:
        ids = [row["id"] for row in admin.rows("prices/doubts/", state="held")]
        assert admin.post("prices/doubts/refuse/", ids=ids, reason="a test").status_code == 200


def test_the_arrow_of_a_sort_and_the_button_of_a_filter_lie_apart(held: str, open_as: Open) -> None:
    """Nor does either cover the heading's words."""
    page = opened(open_as, held)
    grid = page.page.get_by_test_id("positions-grid")
    for column in ("ticker", "quantity", "total_pnl"):
        heading = grid.locator(f'.ag-header-cell[col-id="{column}"]')
        heading.locator(".ag-header-cell-text").click()
        heading.hover()
        parts = [
            heading.locator(each)
            for each in (
                ".ag-header-cell-text",
                ".ag-sort-indicator-icon:not(.ag-hidden)",
                ".ag-header-cell-filter-button",
            )
        ]
        boxes = []
        for part in parts:
            expect(part.first).to_be_visible()
            box = part.first.bounding_box()
            assert box is not None
            boxes.append((box["x"], box["x"] + box["width"]))
        boxes.sort()
        for (_, end), (start, _) in itertools.pairwise(boxes):
            assert end <= start + 1, f"{column}: {boxes}"


def test_decimals_of_a_column_stand_beneath_each_other(stack: RunningStack, open_as: Open) -> None:
    """A price with more of them than its neighbours moves no point."""
    desk, trader = stack.desk(), stack.client("trader")
    for ticker, price in (("KO", "60.5"), ("PEP", "90.1234"), ("PG", "150")):
        trader.book(desk, ticker, "buy", "10", price)
    page = open_as("trader")
    page.watch_only(desk)
    expect(page.trades()).to_have_count(3)
    prices = page.trades().locator('[col-id="price"]')
    expect(prices.filter(has_text="90.1234")).to_have_count(1)

    def points_are_aligned() -> None:
        points = prices.evaluate_all(POINTS)
        assert len(points) == 3
        assert max(points) - min(points) < 1, points

    eventually(points_are_aligned)
