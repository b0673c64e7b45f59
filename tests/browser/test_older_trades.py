"""Trades of the day that lie beyond the page's window are there for who looks for them."""

import csv

import pytest
from playwright.sync_api import expect

from tests.browser.blotter_page import BlotterPage
from tests.browser.conftest import Open
from tests.stack.eventually import eventually
from tests.stack.running import RunningStack

WINDOW = 2_000
MORE = 30
FAR = 1_000_000
"""Pixels, beyond every end."""


@pytest.fixture(scope="module")
def busy(stack: RunningStack) -> tuple[str, str]:
    """A desk with more trades than the window; its first one, the only one of its ticker."""
    desk, trader = stack.desk(), stack.client("trader")
    first = trader.book(desk, "IBM", "buy", 77, 100)["id"]
    one = {"account": desk, "ticker": "KO", "side": "buy", "quantity": "1", "price": "60"}
    answer = trader.post("trades/bulk/", trades=[one] * (WINDOW + MORE - 1))
    assert answer.status_code == 201, answer.text
    return desk, first


def opened(open_as: Open, desk: str) -> BlotterPage:
    """The page on the busy desk, showing the newest trades only."""
    page = open_as("trader")
    page.watch_only(desk)
    expect(page.page.get_by_test_id("trades-older")).to_contain_text(f"newest {WINDOW:,} shown")
    return page


def test_scrolling_down_reaches_the_first_trade_of_the_day(
    busy: tuple[str, str], open_as: Open
) -> None:
    desk, first = busy
    page = opened(open_as, desk)
    page.trades().first.hover()
    page.page.mouse.wheel(0, FAR)
    expect(page.page.get_by_test_id("trades-older")).to_have_count(0)

    def is_at_the_end() -> None:
        # What has just come makes the list longer when it is drawn.
        page.page.mouse.wheel(0, FAR)
        assert page.trade(first).is_visible()

    eventually(is_at_the_end)


def test_selecting_a_position_finds_its_older_trades(busy: tuple[str, str], open_as: Open) -> None:
    desk, first = busy
    page = opened(open_as, desk)
    page.position(desk, "IBM").locator('[col-id="ticker"]').click()
    expect(page.page.get_by_test_id("trades-only")).to_contain_text("IBM")
    expect(page.trade(first)).to_be_visible()
    expect(page.trades()).to_have_count(1)


def test_a_snapshot_in_the_middle_of_reading_does_not_end_it(
    busy: tuple[str, str], open_as: Open, stack: RunningStack
) -> None:
    """As after a gap of the connection, or when other accounts are watched."""
    desk, first = busy
    page = opened(open_as, desk)
    older = "**/api/v1/trades/?*trade_date=*"
    # The first question never gets its answer.
    page.page.route(older, lambda route: None, times=1)
    with page.page.expect_request(older):
        page.page.get_by_label("Filter trades").fill("ibm")
    # One more account to watch: all that is shown comes anew.
    other = stack.desk()
    stack.client("trader").book(other, "IBM", "buy", 2, 100)
    selector = page.page.get_by_test_id("account-selector")
    selector.get_by_role("button").first.click()
    selector.get_by_role("checkbox", name=other).check()
    page.page.keyboard.press("Escape")
    expect(page.position(other, "IBM")).to_be_visible()
    expect(page.trade(first)).to_be_visible()
    expect(page.trades()).to_have_count(2)


def test_a_quantity_is_filtered_and_a_column_summed_over_the_whole_day(
    busy: tuple[str, str], open_as: Open
) -> None:
    """Also a trade that comes later passes the filter, or does not."""
    desk, first = busy
    page = opened(open_as, desk)
    grid, keys = page.page.get_by_test_id("trades-grid"), page.page.keyboard
    count = page.page.get_by_test_id("trades-grid-count")
    quantity = grid.locator('.ag-header-cell[col-id="quantity"]')
    quantity.hover()
    quantity.locator(".ag-header-cell-filter-button").click()
    form = page.page.locator(".ag-filter")
    form.get_by_role("spinbutton").or_(form.get_by_role("textbox")).first.fill("77")
    expect(page.trade(first)).to_be_visible()
    expect(count).to_have_text(f"1 of {WINDOW + MORE:,}")
    keys.press("Escape")
    page.page.reload()
    page.wait_live()
    expect(page.trade(first)).to_be_visible()
    expect(count).to_have_text(f"1 of {WINDOW + MORE:,}")
    page.page.goto(page.page.url.split("?")[0])
    page.wait_live()
    expect(page.page.get_by_test_id("trades-older")).to_contain_text(f"newest {WINDOW:,} shown")
    page.trades().first.locator('[col-id="quantity"]').click()
    keys.press("Control+Shift+ArrowDown")
    foot = page.page.get_by_test_id("trades-grid-foot")
    expect(foot.locator('[data-field="count"]')).to_have_text(f"{WINDOW + MORE:,}")
    expect(foot.locator('[data-field="sum"]')).to_have_text(f"{WINDOW + MORE - 1 + 77:,}")


def test_what_is_filtered_counted_exported_and_printed_is_of_the_whole_day(
    busy: tuple[str, str], open_as: Open
) -> None:
    """The one trade of its ticker is the oldest, beyond what the page was sent."""
    desk, first = busy
    page = opened(open_as, desk)
    count = page.page.get_by_test_id("trades-grid-count")
    field = page.page.get_by_label("Filter trades")
    field.fill("ibm")
    expect(page.trade(first)).to_be_visible()
    expect(count).to_have_text(f"1 of {WINDOW + MORE:,}")
    page.page.reload()
    page.wait_live()
    expect(count).to_have_text(f"1 of {WINDOW + MORE:,}")
    field.fill("")
    page.page.reload()
    page.wait_live()
    expect(page.page.get_by_test_id("trades-older")).to_contain_text(f"newest {WINDOW:,} shown")
    with page.page.expect_download() as saved:
        page.page.get_by_test_id("trades-grid-export").click()
    rows = list(csv.DictReader(saved.value.path().read_text(encoding="utf-8-sig").splitlines()))
    assert len(rows) == WINDOW + MORE
    assert rows[-1]["Ticker"] == "IBM"
    page.page.reload()
    page.wait_live()
    expect(page.page.get_by_test_id("trades-older")).to_contain_text(f"newest {WINDOW:,} shown")
    # What a browser does when it prints, without its dialog.
    page.page.evaluate("window.print = () => dispatchEvent(new Event('beforeprint'))")
    page.page.keyboard.press("Control+p")
    printed = page.page.get_by_test_id("trades-grid-printed").locator("tbody tr")
    expect(printed).to_have_count(WINDOW + MORE)
    page.page.evaluate("dispatchEvent(new Event('afterprint'))")
