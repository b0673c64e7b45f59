"""The day's P&L account by account, as lines that can be hidden, with values where one points."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.stack.eventually import eventually
from tests.stack.running import RunningStack


def test_a_line_for_each_account_and_their_total(stack: RunningStack, open_as: Open) -> None:
    for account in ("Test1", "Test2"):
        stack.client("trader").book(account, "KO", "buy", 10, 60)
    page = open_as("trader")
    selector = page.page.get_by_test_id("account-selector")
    page.watch_only("Test1")
    selector.get_by_role("button").first.click()
    selector.locator("label", has_text="Test2").first.locator("input").check()
    page.page.keyboard.press("Escape")
    # Beside the positions, and on the page of P&L, where it stands in the address.
    expect(page.page.get_by_test_id("pnl-chart").get_by_test_id("day-lines")).to_be_visible()
    page.go("P&L history")
    page.page.get_by_role("button", name="Today by account").click()
    assert "chart=day" in page.page.url
    page.page.reload()
    names = page.page.get_by_test_id("day-lines").get_by_role("button")
    listed = ("Total", "Test1", "Test2")
    expect(names).to_have_text([re.compile(rf"^\s*{each} ") for each in listed])
    chart = page.page.get_by_test_id("history-chart")
    over, told = chart.locator(".u-over"), chart.get_by_test_id("chart-told")

    def told_of(*names: str) -> list[str]:
        """The moment, and the amounts, once they are of these."""
        box = over.bounding_box()
        assert box is not None
        page.page.mouse.move(box["x"] + 5, box["y"] + 20)
        page.page.mouse.move(box["x"] + box["width"] - 5, box["y"] + 30)
        said = list(told.locator("div").all_text_contents())
        assert [each.split(" ")[0] for each in said[1:]] == list(names)
        return said

    everything = ("Test1", "Test2", "Total")
    at, *amounts = eventually(lambda: told_of(*everything))
    assert at.endswith(" New York")
    figures = dict(each.replace(",", "").replace("\u2212", "-").split(" ") for each in amounts)
    total, *parts = (float(figures[name]) for name in ("Total", "Test1", "Test2"))
    assert abs(total - sum(parts)) < 0.015
    # A name hides its line and shows it again, by the keyboard too.
    names.nth(1).focus()
    page.page.keyboard.press("Enter")
    expect(names.nth(1)).to_have_attribute("aria-pressed", "false")
    eventually(lambda: told_of("Test2", "Total"))
    names.nth(1).press(" ")
    eventually(lambda: told_of(*everything))
