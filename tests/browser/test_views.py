"""What a view keeps and tells: its address, counts, times and print, and what is whose."""

import csv
import re
from datetime import date, datetime, time
from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from kernel.clock import NEW_YORK
from tests.browser.blotter_page import BlotterPage, cell
from tests.browser.conftest import Open
from tests.stack.examples import business_date
from tests.stack.running import PASSWORD, RunningStack

PHONE = ViewportSize(width=390, height=844)
# What is left of 1440 by 900.
AT_200_PERCENT = ViewportSize(width=720, height=450)


@pytest.fixture
def traded(stack: RunningStack) -> str:
    """A desk with trades of two tickers, one of them cancelled."""
    desk, trader = stack.desk(), stack.client("trader")
    gone = trader.book(desk, "KO", "buy", 3, 60)
    for ticker, quantity in (("KO", "10"), ("PEP", "20"), ("PEP", "30")):
        trader.book(desk, ticker, "buy", quantity, 60)
    answer = stack.client("admin").post(f"trades/{gone['id']}/cancel/", version=1, reason="a test")
    assert answer.status_code == 200, answer.text
    return desk


def opened(open_as: Open, desk: str) -> BlotterPage:
    page = open_as("trader")
    page.watch_only(desk)
    expect(page.trades()).to_have_count(4)
    return page


def test_a_reload_keeps_grouping_and_filters(traded: str, open_as: Open) -> None:
    page = opened(open_as, traded)
    trades = page.page.get_by_test_id("trades-grid")
    trades.get_by_label("Filter trades").fill("pep")
    expect(page.trades()).to_have_count(2)
    expect(page.page.get_by_test_id("trades-grid-count")).to_have_text("2 of 4")
    page.page.get_by_role("button", name="By ticker").click()
    page.page.reload()
    page.wait_live()
    expect(page.page.get_by_test_id("ticker-totals-grid")).to_be_visible()
    expect(trades.get_by_label("Filter trades")).to_have_value("pep")
    expect(page.trades()).to_have_count(2)


def test_a_reload_keeps_the_session_of_pnl_history(stack: RunningStack, open_as: Open) -> None:
    page = open_as("middleoffice")
    page.go("P&L history")
    rows = page.page.get_by_test_id("pnl-days-grid").locator(".ag-row")
    rows.nth(1).locator('[col-id="session"]').click()
    shown = page.page.get_by_test_id("differences")
    expect(shown).to_contain_text("Snapshot of")
    title = shown.get_by_role("heading").first.inner_text()
    page.page.get_by_role("button", name="3 months").click()
    page.page.reload()
    expect(shown.get_by_role("heading").first).to_have_text(title)
    expect(page.page.get_by_role("button", name="3 months")).to_have_attribute(
        "aria-pressed", "true"
    )


def test_cancelled_rows_can_be_hidden(traded: str, open_as: Open) -> None:
    page = opened(open_as, traded)
    page.page.get_by_test_id("hide-cancelled").check()
    expect(page.trades()).to_have_count(3)
    page.page.reload()
    page.wait_live()
    expect(page.trades()).to_have_count(3)
    page.page.get_by_test_id("hide-cancelled").uncheck()
    expect(page.trades()).to_have_count(4)


def test_the_next_user_of_a_browser_finds_nothing_of_the_last(
    stack: RunningStack, open_as: Open
) -> None:
    page = open_as("trader")
    page.watch_only("Test1")
    page.page.get_by_test_id("user-menu").get_by_role("button").first.click()
    page.page.get_by_test_id("log-out").click()
    page.page.get_by_label("User name").fill("middleoffice")
    page.page.get_by_label("Password").fill(PASSWORD)
    page.page.get_by_role("button", name="Log in").click()
    page.wait_live()
    expect(page.page.get_by_test_id("account-selector")).to_contain_text("All mine")


@pytest.mark.parametrize("user", ["trader", "middleoffice"])
def test_the_menu_of_a_user_leads_to_what_is_theirs(
    stack: RunningStack, open_as: Open, user: str
) -> None:
    """On a phone too, where all of it is in sight; the tools of staff are for staff."""
    page = open_as(user).page
    menu = page.get_by_test_id("user-menu")
    expect(menu).to_contain_text(user)
    for size in (ViewportSize(width=1440, height=900), PHONE):
        page.set_viewport_size(size)
        menu.get_by_role("button").first.click()
        links = menu.get_by_role("link")
        names = ["Alerts", "Change password", "Tokens", "API documentation ↗"]
        if user != "trader":
            names += ["Admin ↗", "Flower: workers and tasks ↗"]
        expect(links).to_have_text(names)
        for each in [*links.all(), menu.get_by_test_id("log-out")]:
            expect(each).to_be_in_viewport(ratio=1)
        page.keyboard.press("Escape")
        expect(links).to_have_count(0)
    addresses: list[str] = []
    menu.get_by_role("button").first.click()
    for each in links.all():
        address = each.get_attribute("href")
        assert address is not None
        addresses.append(address)
    for address in addresses:
        assert page.request.get(f"{stack.url}{address}").status == 200, address


def test_columns_can_be_chosen_at_the_end_of_the_page(traded: str, open_as: Open) -> None:
    """The menu of the lower list is not cut by the list."""
    page = opened(open_as, traded)
    page.page.set_viewport_size({"width": 1440, "height": 900})
    trades = page.page.get_by_test_id("trades-grid")
    trades.get_by_role("button", name="Columns").click()
    for name in ("Booked, NY", "Request group", "As at first"):
        option = trades.get_by_role("group", name="Choose columns").get_by_text(name, exact=True)
        option.scroll_into_view_if_needed()
        expect(option).to_be_in_viewport(ratio=1)
        # What lies on top there is the option itself.
        assert option.evaluate(
            """(each) => {
                const {left, top, width, height} = each.getBoundingClientRect();
                const at = document.elementFromPoint(left + width / 2, top + height / 2);
                return each === at || each.contains(at) || at.contains(each);
            }"""
        )


def test_nothing_is_printed_over_the_way_out_of_a_filter(traded: str, open_as: Open) -> None:
    page = opened(open_as, traded)
    trades = page.page.get_by_test_id("trades-grid")
    trades.get_by_label("Filter trades").fill("no such thing")
    expect(trades.get_by_role("button", name="Clear the filters")).to_be_visible()
    expect(trades.get_by_text(re.compile("No (Matching )?Rows", re.IGNORECASE))).to_have_count(0)
    trades.get_by_role("button", name="Clear the filters").click()
    expect(page.trades()).to_have_count(4)


def test_times_are_new_yorks_wherever_one_reads_them(stack: RunningStack, open_as: Open) -> None:
    desk = stack.desk()
    # A business date begins at midnight in New York at the earliest: this is past at any hour.
    midnight = datetime.combine(date.fromisoformat(business_date(stack)), time(), NEW_YORK)
    trade = stack.client("trader").book(desk, "KO", "buy", 1, 60, executed_at=midnight.isoformat())
    page = open_as("trader")
    page.watch_only(desk)
    grid = page.page.get_by_test_id("trades-grid")
    expect(grid.locator('.ag-header-cell[col-id="booked_at"]')).to_contain_text("NY")
    drawer = page.open_trade(trade["id"])
    executed = drawer.get_by_test_id("drawer-executed")
    expect(executed).to_contain_text("New York")
    expect(executed.locator("span")).to_have_attribute("title", re.compile("on your clock"))
    expect(drawer.locator('[data-version="1"]')).to_contain_text("New York")


def test_an_export_is_named_by_its_business_date(
    stack: RunningStack, traded: str, open_as: Open
) -> None:
    page = opened(open_as, traded)
    with page.page.expect_download() as saved:
        page.page.get_by_test_id("trades-grid-export").click()
    assert saved.value.suggested_filename == f"trades-{business_date(stack)}.csv"
    rows = list(csv.DictReader(saved.value.path().read_text(encoding="utf-8-sig").splitlines()))
    assert len(rows) == 4


def test_a_ticket_begins_by_key_also_under_a_drawer(traded: str, open_as: Open) -> None:
    page = opened(open_as, traded)
    page.trades().first.get_by_role("button", name="Details").click()
    drawer = page.page.get_by_test_id("trade-drawer")
    expect(drawer).to_be_visible()
    page.page.keyboard.press("s")
    expect(drawer).to_have_count(0)
    expect(page.page.get_by_test_id("ticket-ticker")).to_be_focused()
    expect(page.page.get_by_test_id("ticket-side-sell")).to_be_checked()


def test_the_print_is_a_table_of_all_rows(traded: str, open_as: Open) -> None:
    page = opened(open_as, traded)
    page.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.page.emulate_media(media="print")
    printed = page.page.get_by_test_id("trades-grid-printed")
    expect(printed).to_be_visible()
    expect(printed.locator("tbody tr")).to_have_count(4)
    expect(page.page.get_by_test_id("ticket-form")).to_be_hidden()
    page.page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(printed).to_have_count(0)
    page.page.emulate_media(media="screen")


def test_a_chart_says_what_one_points_at(stack: RunningStack, open_as: Open) -> None:
    page = open_as("middleoffice")
    page.go("P&L history")
    chart = page.page.get_by_test_id("history-chart")
    expect(chart.locator(".u-over")).to_be_visible()
    chart.locator(".u-over").hover(position={"x": 200, "y": 60})
    expect(chart.get_by_test_id("chart-told")).to_contain_text("Total P&L")


def test_a_reload_asks_before_it_drops_rows(stack: RunningStack, open_as: Open) -> None:
    page = open_as("trader")
    page.go("Bulk booking")
    page.page.get_by_role("button", name="Generate", exact=True).first.click()
    page.page.get_by_role("button", name="Generate rows").click()
    expect(page.page.get_by_test_id("bulk-grid").locator(".ag-row").first).to_be_visible()
    asked: list[str] = []

    def answer(dialog: Any) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.page.on("dialog", answer)
    page.page.reload()
    expect(page.page.get_by_test_id("bulk-grid")).to_be_visible()
    assert asked == ["beforeunload"]


def test_pages_of_errors_are_ours(stack: RunningStack, open_as: Open) -> None:
    page: Page = open_as("trader").page
    for address, said in (("/no-such-page/", "no page"), ("/flower-not/", "no page")):
        answer = page.goto(f"{stack.url}{address}")
        assert answer is not None
        assert answer.status == 404
        expect(page.get_by_role("alert")).to_contain_text(said)
        expect(page.get_by_role("link", name="Go to Positions")).to_be_visible()
    office: Page = open_as("middleoffice").page
    answer = office.goto(f"{stack.url}/admin/auth/group/add/")
    assert answer is not None
    assert answer.status == 403
    expect(office.get_by_role("alert")).to_contain_text("You may not see this page")
    expect(office.get_by_role("link", name="Go to Positions")).to_be_visible()


@pytest.mark.parametrize("size", [PHONE, AT_200_PERCENT], ids=["phone", "200%"])
@pytest.mark.parametrize("name", ["Positions", "Bulk booking", "Prices", "P&L history"])
def test_nothing_is_off_a_small_screen(open_as: Open, name: str, size: ViewportSize) -> None:
    page = open_as("trader")
    page.go(name)
    page.page.set_viewport_size(size)
    page.page.wait_for_timeout(500)
    beyond = page.page.evaluate(
        """() => {
            const scrolls = (each) => {
              for (let up = each.parentElement; up; up = up.parentElement)
                if (["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(up).overflowX))
                  return true;
              return false;
            };
            return [...document.querySelectorAll("main *, header *")]
              .filter((each) => each.getClientRects().length > 0 && !scrolls(each))
              .filter((each) => {
                const {left, right} = each.getBoundingClientRect();
                return right > innerWidth + 1 || left < -1;
              })
              .map((each) => each.outerHTML.slice(0, 120));
        }"""
    )
    assert beyond == []
    assert page.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(
    ("name", "grid"),
    [("Positions", "positions-grid"), ("Bulk booking", "bulk-grid"), ("Prices", "prices-grid")],
)
def test_lists_on_a_phone_have_room(open_as: Open, name: str, grid: str) -> None:
    """For some rows at once, though all of a page stands in one column."""
    page = open_as("trader")
    page.go(name)
    page.page.set_viewport_size(PHONE)
    rows = page.page.get_by_test_id(grid).locator(".ag-root").first
    expect(rows).to_be_attached()
    page.page.wait_for_timeout(500)
    assert rows.evaluate("each => each.clientHeight") >= 180


def test_a_trade_is_booked_on_a_phone(stack: RunningStack, open_as: Open) -> None:
    """Totals first, and the ticket as a sheet over them."""
    desk = stack.desk()
    page = open_as("trader")
    page.watch_only(desk)
    page.page.set_viewport_size(PHONE)
    totals = page.page.get_by_test_id("totals-bar").bounding_box()
    grid = page.page.get_by_test_id("positions-grid").bounding_box()
    assert totals is not None
    assert grid is not None
    assert totals["y"] < grid["y"]
    expect(page.ticket).to_be_hidden()
    page.page.get_by_test_id("ticket-unfold").click()
    page.fill_ticket(desk, "KO", "5", "60")
    expect(page.submit).to_be_in_viewport(ratio=1)
    page.submit.click()
    expect(page.result).to_contain_text("Bought 5 KO")
    page.page.get_by_role("button", name="Close the ticket").click()
    expect(page.ticket).to_be_hidden()
    expect(cell(page.position(desk, "KO"), "quantity")).to_have_text("5")


def test_positions_as_they_were_known(stack: RunningStack, open_as: Open) -> None:
    """Not live, and said; beside now, with the versions that made the difference."""
    desk, trader = stack.desk(), stack.client("trader")
    trader.book(desk, "KO", "buy", 10, 60)
    page = open_as("trader")
    page.watch_only(desk)
    expect(cell(page.position(desk, "KO"), "quantity")).to_have_text("10")
    page.page.wait_for_timeout(1_100)
    known = page.page.evaluate(
        """() => new Intl.DateTimeFormat("sv-SE", {timeZone: "America/New_York",
             dateStyle: "short", timeStyle: "medium"}).format(new Date()).replace(" ", "T")"""
    )
    page.page.wait_for_timeout(1_100)
    trader.book(desk, "KO", "buy", 7, 61)
    expect(cell(page.position(desk, "KO"), "quantity")).to_have_text("17")
    page.page.get_by_test_id("as-of-begin").click()
    expect(page.page.get_by_test_id("as-of-bar")).to_contain_text("Not live")
    expect(page.page.get_by_test_id("ticket-off")).to_be_visible()
    page.page.get_by_test_id("as-of-known").fill(known)
    row = page.page.get_by_test_id("as-of-grid").locator(f'.ag-row[row-id="{desk}|KO"]')
    expect(cell(row, "quantity")).to_have_text("10")
    page.page.get_by_test_id("as-of-compare").check()
    cell(row, "ticker").click()
    made = page.page.get_by_test_id("as-of-versions").locator("li")
    expect(made).to_have_count(1)
    expect(made).to_contain_text("v1 booked Buy 7 @ 61.00")
    page.page.reload()
    expect(cell(row, "quantity")).to_have_text("10")
    page.page.get_by_test_id("as-of-end").click()
    expect(cell(page.position(desk, "KO"), "quantity")).to_have_text("17")


NAV_SEEN = """() => {
    const nav = document.querySelector("header nav");
    return nav.scrollWidth <= nav.clientWidth && [...nav.children].every(
        (each) => each.getBoundingClientRect().right <= innerWidth);
}"""


def test_the_name_of_every_page_is_in_sight(open_as: Open) -> None:
    """Middle office has the most of them."""
    page = open_as("middleoffice").page
    pages = page.get_by_role("navigation", name="Pages").get_by_role("link")
    expect(pages.last).to_have_text("System")
    for width in (1920, 1440, 1439, 1280, 1080, 390):
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate(NAV_SEEN), width


def test_a_phone_shows_price_and_day(open_as: Open) -> None:
    """Beneath the list stands whose they are; one finds them by that all the same."""
    page = open_as("trader").page
    page.set_viewport_size(PHONE)
    page.reload()
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Prices").click()
    grid = page.get_by_test_id("prices-grid")
    grid.get_by_label("Filter prices").fill("Coca-Cola")
    row = grid.locator('.ag-row[row-id="KO"]')
    for column in ("price", "day_line"):
        expect(row.locator(f'[col-id="{column}"]')).to_be_in_viewport(ratio=1)


def test_a_notice_on_a_phone_leaves_the_button_free(open_as: Open) -> None:
    page = open_as("trader").page
    page.set_viewport_size(PHONE)
    page.context.set_offline(True)
    notice = page.get_by_test_id("stale-notice")
    expect(notice).to_be_visible()
    over, button = notice.bounding_box(), page.get_by_test_id("ticket-unfold").bounding_box()
    assert over is not None
    assert button is not None
    assert over["y"] + over["height"] <= button["y"]
