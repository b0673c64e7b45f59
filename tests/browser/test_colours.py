"""Gain and loss without telling green from red."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.test_accessibility import SCHEMES, serious
from tests.stack.running import RunningStack

COLOURS = """() => ["gain", "loss"].map((name) => {
  const each = document.body.appendChild(document.createElement("span"));
  each.className = name;
  const { color } = getComputedStyle(each);
  each.remove();
  return color;
})"""
ARROWS = """() => ["moved-up", "moved-down", ""].map((moved) => {
  const cell = document.querySelector(".ag-row").appendChild(document.createElement("div"));
  cell.className = `ag-cell ${moved} ag-cell-data-changed`;
  const { content } = getComputedStyle(cell, "::before");
  cell.remove();
  return content.slice(1, 2);
})"""


def test_colours_for_the_colour_blind_stay(stack: RunningStack, open_as: Open) -> None:
    desk = stack.desk()
    stack.client("trader").book(desk, "KO", "buy", 10, 60)
    blotter = open_as("trader")
    blotter.watch_only(desk)
    expect(blotter.position(desk, "KO").first).to_be_visible()
    page: Page = blotter.page
    before = page.evaluate(COLOURS)
    menu = page.get_by_test_id("user-menu")
    menu.get_by_role("button").first.click()
    page.get_by_test_id("palette").check()
    chosen = page.evaluate(COLOURS)
    assert not {*before} & {*chosen}
    page.reload()
    blotter.wait_live()
    assert page.evaluate(COLOURS) == chosen
    expect(blotter.position(desk, "KO").first).to_be_visible()
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        assert serious(page, ["color-contrast"]) == []
    # A flash tells its direction by a sign as well.
    assert page.evaluate(ARROWS) == ["\u25b2", "\u25bc", "o"]
