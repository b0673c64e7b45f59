"""The day's P&L account by account, as lines that can be hidden, with values where one points."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.stack.eventually import eventually
from tests.stack.running import RunningStack

A_GAIN_AND_A_LOSS = """
from datetime import timedelta
from accounts.models import Account
from kernel import clock
from pnl.models import AccountPnl
from prices.sessions import sessions
now = clock.now()
session = sessions().business_date(now)
of = dict(account=Account.objects.get(code="%s"), session=session, position_pnl=0, pnl_valid=True)
for first, last, total in ((60, 40, 1000), (35, 15, -500)):
    for ago in range(last, first + 1):
        AccountPnl.objects.create(at=now - timedelta(minutes=ago), trade_pnl=total, **of)
"""
"""An account's points: 20 minutes at +1,000, then 20 at −500, the last of them 15 minutes ago."""
HIDDEN = """(box) => {
    const edge = box.getBoundingClientRect();
    return [...box.children].filter((each) => {
        const { left, right, top, bottom } = each.getBoundingClientRect();
        return left < edge.left - 1 || right > edge.right + 1
            || top < edge.top - 1 || bottom > edge.bottom + 1;
    }).map((each) => each.textContent.trim());
}"""
"""Names that lie outside of their box, in whole or in part."""
PAINTED = """(chart, share) => {
    const [canvas, over] = [chart.querySelector("canvas"), chart.querySelector(".u-over")];
    const ratio = canvas.width / canvas.clientWidth;
    const x = Math.round((over.offsetLeft + share * over.clientWidth) * ratio);
    const [top, height] = [over.offsetTop * ratio, over.clientHeight * ratio].map(Math.round);
    const pixels = canvas.getContext("2d").getImageData(x, top, 1, height).data;
    let [began, longest] = [null, [0, 0]];
    for (let y = 0; y <= height; y++) {
        const isPainted = y < height && pixels[4 * y + 3] > 0;
        if (isPainted) began ??= y;
        else if (began !== null) {
            if (y - began > longest[1] - longest[0]) longest = [began, y];
            began = null;
        }
    }
    return longest;
}"""
"""From where to where a chart is painted at this share of its width: the longest run of pixels,
since lines of the axes are one pixel high."""


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


def test_no_name_beneath_the_lines_is_hidden(stack: RunningStack, open_as: Open) -> None:
    """Of a few accounts all are in sight at 1440; of many, others come when they are asked for."""
    desks = [stack.desk() for _ in range(8)]
    for desk in desks:
        stack.client("trader").book(desk, "KO", "buy", 10, 60)
    page = open_as("trader")
    page.page.set_viewport_size({"width": 1440, "height": 900})
    selector = page.page.get_by_test_id("account-selector")
    page.watch_only(desks[0])
    selector.get_by_role("button").first.click()
    for desk in desks[1:4]:
        selector.get_by_role("checkbox", name=desk).check()
    panel = page.page.get_by_test_id("pnl-chart")
    lines = panel.get_by_test_id("day-lines")
    names = lines.get_by_role("button")
    expect(names).to_have_count(5)
    expect(panel.locator(".u-over")).to_be_visible()
    assert lines.evaluate(HIDDEN) == []
    for desk in desks[4:]:
        selector.get_by_role("checkbox", name=desk).check()
    page.page.keyboard.press("Escape")
    # The total, the six furthest from 0, and the button for the others.
    expect(names).to_have_count(8)
    expect(panel.locator(".u-over")).to_be_visible()
    assert lines.evaluate(HIDDEN) == []
    names.get_by_text("2 more…").click()
    for desk in desks:
        name = lines.get_by_role("button", name=re.compile(rf"^{desk} "))
        name.scroll_into_view_if_needed()
        expect(name).to_be_visible()
    names.get_by_text("Fewer").click()
    expect(names).to_have_count(8)


def test_the_area_is_filled_to_zero(stack: RunningStack, open_as: Open) -> None:
    """Beneath a gain and above a loss, to one and the same height."""
    desk = stack.desk()
    stack.shell(A_GAIN_AND_A_LOSS % desk)
    page = open_as("trader")
    page.watch_only(desk)
    place = page.page.get_by_test_id("pnl-chart").locator(".chart")
    expect(place.locator(".u-over")).to_be_visible()

    def filled() -> None:
        gain, loss = (place.evaluate(PAINTED, share) for share in (1 / 6, 0.55))
        [over, under] = gain[1] - gain[0], loss[1] - loss[0]
        assert over > 30, (gain, loss)
        assert abs(over / under - 2) < 0.2, (gain, loss)
        assert abs(gain[1] - loss[0]) <= 3, (gain, loss)

    eventually(filled)
