"""The day's line of each ticker beside its price."""

import re
from typing import Any

from playwright.sync_api import Locator, Request, expect

from tests.browser.conftest import Open
from tests.stack.eventually import eventually
from tests.stack.running import RunningStack

RECORD = """
from datetime import timedelta
from decimal import Decimal
from django.conf import settings
from kernel import clock
from prices.models import Instrument, PricePoint, Quote
from prices.sessions import day_start, sessions
day = sessions().business_date(clock.now())
end = min(clock.now(), day_start(day + timedelta(days=1)))
at = (end - timedelta(minutes=2)).replace(second=0, microsecond=0)
for ticker in ("KO", "PEP"):
    instrument = Instrument.objects.get(ticker=ticker)
    quote = Quote.objects.get(instrument=instrument, source=settings.PRICE_SOURCE)
    PricePoint.objects.update_or_create(
        instrument=instrument, source=settings.PRICE_SOURCE, at=at,
        defaults={"price": quote.price * Decimal("1.01")},
    )
"""
"""So that each has a point of the business date, whenever this runs."""

SEEN = """(cell) => {
  const colourOf = (name) => {
    const each = document.body.appendChild(document.createElement("span"));
    each.className = name;
    const { color } = getComputedStyle(each);
    each.remove();
    return color;
  };
  const path = cell.querySelector(".path");
  return {
    way: cell.querySelector(".spark").className.replace("spark ", ""),
    words: cell.querySelector(".sr-only").textContent,
    end: cell.querySelector(".end").getAttribute("d").replace(/^M\\S+ [\\d.]+/, ""),
    stroke: getComputedStyle(path).stroke,
    colours: { up: colourOf("gain"), down: colourOf("loss"), flat: colourOf("muted") },
  };
}"""
WATCH = """(cell) => {
  window.drawn = { changed: 0, same: 0 };
  new MutationObserver((found) => {
    for (const { target, oldValue } of found)
      window.drawn[target.getAttribute("d") === oldValue ? "same" : "changed"] += 1;
  }).observe(cell, { attributeFilter: ["d"], attributeOldValue: true, subtree: true });
}"""


def line(row: Locator) -> Locator:
    return row.locator('[col-id="day_line"]')


def seen(cell: Locator) -> dict[str, Any]:
    """What it shows and says, at one moment."""
    found: dict[str, Any] = cell.evaluate(SEEN)
    return found


def is_drawn(cell: Locator) -> None:
    """Its form, its colour and its words all tell the same way."""
    expect(cell.locator("path.path")).to_have_attribute("d", re.compile(r"^M[\d.]+ [\d.]+L"))
    now = seen(cell)
    figure = re.match(r"([+\u2212]?)([\d.,]+)% since the previous close, today ", now["words"])
    assert figure is not None, now
    ways = {"+": "up", "\u2212": "down", "": "flat"}
    # A change too small for two decimals still has its way.
    if figure[2] != "0.00":
        assert now["way"] == ways[figure[1]], now
    assert now["stroke"] == now["colours"][now["way"]]
    marks = {"up": "m-3 2l3 -5l3 5z", "down": "m-3 -2l3 5l3 -5z", "flat": "m-2 -2h4v4h-4z"}
    assert now["end"] == marks[now["way"]]


def test_a_line_of_the_day_beside_each_price(stack: RunningStack, open_as: Open) -> None:
    stack.shell(RECORD)
    desk = stack.desk()
    for ticker in ("KO", "PEP"):
        stack.client("trader").book(desk, ticker, "buy", 10, 60)
    page = open_as("trader")
    asked: list[str] = []

    def requested(request: Request) -> None:
        if "/prices/lines/" in request.url:
            asked.append(request.url)

    page.watch_only(desk)
    is_drawn(line(page.position(desk, "KO")))
    page.page.on("request", requested)
    page.page.reload()
    page.wait_live()
    for ticker in ("KO", "PEP"):
        is_drawn(line(page.position(desk, ticker)))
    # Ticks ask for nothing, and draw nothing that is drawn already.
    assert len(asked) == 1, asked
    assert set(re.findall(r"ticker=(\w+)", asked[0])) == {"KO", "PEP"}
    cell = line(page.position(desk, "KO"))
    cell.evaluate(WATCH)

    def moved() -> None:
        assert page.page.evaluate("window.drawn.changed") >= 3

    eventually(moved)
    assert page.page.evaluate("window.drawn.same") == 0
    assert len(asked) == 1, asked
    is_drawn(cell)


def test_the_line_can_be_hidden_and_sorts_by_the_change(stack: RunningStack, open_as: Open) -> None:
    stack.shell(RECORD)
    page = open_as("trader")
    page.go("Prices")
    grid = page.page.get_by_test_id("prices-grid")
    expect(line(grid.locator(".ag-row[row-id]").first)).to_be_visible()
    grid.locator('.ag-header-cell[col-id="day_line"]').click()
    rows = grid.locator(".ag-row[row-id]")

    def rises() -> None:
        told = rows.evaluate_all(
            """(rows) => rows
              .sort((a, b) => a.getAttribute("row-index") - b.getAttribute("row-index"))
              .map((row) => row.querySelector('[col-id="change_percent"]').textContent)"""
        )
        changes = [float(each.replace("\u2212", "-").strip("%+")) for each in told if "%" in each]
        assert len(changes) > 5
        assert changes == sorted(changes)

    eventually(rises)
    chooser = grid.get_by_test_id("prices-grid-columns")
    chooser.get_by_role("button", name="Columns").click()
    chooser.get_by_label("Day", exact=True).uncheck()
    expect(grid.locator('[col-id="day_line"]')).to_have_count(0)
    page.page.reload()
    expect(grid.locator(".ag-row").first).to_be_visible()
    expect(grid.locator('[col-id="day_line"]')).to_have_count(0)
