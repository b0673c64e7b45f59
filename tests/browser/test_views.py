"""What a view keeps and tells: its address, counts, times and print, and what is whose."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.blotter_page import cell
from tests.browser.conftest import Open
from tests.stack.examples import business_date
from tests.stack.running import PASSWORD, RunningStack


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


def test_times_are_new_yorks_wherever_one_reads_them(stack: RunningStack, open_as: Open) -> None:
    desk = stack.desk()
    trade = stack.client("trader").book(
        desk, "KO", "buy", 1, 60, executed_at=f"{business_date(stack)}T04:23:00-04:00"
    )
    page = open_as("trader")
    page.watch_only(desk)
    grid = page.page.get_by_test_id("trades-grid")
    expect(grid.locator('.ag-header-cell[col-id="booked_at"]')).to_contain_text("NY")
    drawer = page.open_trade(trade["id"])
    executed = drawer.get_by_test_id("drawer-executed")
    expect(executed).to_contain_text("New York")
    expect(executed.locator("span")).to_have_attribute("title", re.compile("on your clock"))
    expect(drawer.locator('[data-version="1"]')).to_contain_text("New York")


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


PHONE = ViewportSize(width=390, height=844)


@pytest.mark.parametrize("name", ["Bulk booking", "Prices", "P&L history"])
def test_nothing_is_off_the_screen_of_a_phone(open_as: Open, name: str) -> None:
    page = open_as("trader")
    page.go(name)
    page.page.set_viewport_size(PHONE)
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
