"""Work with a full book on the page: 5,000 positions scrolled, sorted, filtered and grouped while
prices move them, and 200 rows pasted into the bulk grid.

A stack of its own and a real Chromium, as in `page`. Tasks are taken from Chromium's trace of the
page's main thread, from the first step of a kind of work to its last frame: by the clock, and by
the time on a core, which others on the machine lengthen less; `nothing` is the page left alone. A
paste is timed in the page: from the event to the second frame in which all rows are counted and the
visible ones are drawn. From the environment: PAGE_ACCOUNTS (10), PAGE_PASTES (7), PAGE_PROFILE (a
directory, for a CPU profile of each work).
"""

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, sync_playwright

from benchmarks.booking_to_frame import own_stack
from benchmarks.page import TRACED, fill, opened, tasks
from benchmarks.report import Report
from tests.stack.running import RunningStack

ACCOUNTS = int(os.environ.get("PAGE_ACCOUNTS", "10"))
NAMES = 500
PASTES = int(os.environ.get("PAGE_PASTES", "7"))
PASTED_ROWS = 200
PROFILES = os.environ.get("PAGE_PROFILE", "")
ALLOWED = 100.0
"""Milliseconds of a task that a hand feels."""

DRAWN = "new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))"
PASTE = """async ([text, count, ticker]) => {
    const grid = document.querySelector("[data-testid=bulk-grid]");
    const data = new DataTransfer();
    data.setData("text/plain", text);
    const how = {clipboardData: data, bubbles: true, cancelable: true};
    const event = new ClipboardEvent("paste", how);
    const began = performance.now();
    document.activeElement.dispatchEvent(event);
    const frame = () => new Promise((r) => requestAnimationFrame(r));
    for (;;) {
        await frame();
        const drawn = [...grid.querySelectorAll(".ag-row[row-id]")];
        const total = document.querySelector("[data-testid=bulk-total]")?.textContent;
        const says = (row) => row.querySelector('[col-id="ticker"]')?.textContent === ticker;
        if (total === count && drawn.length > 5 && drawn.every(says)) break;
    }
    await frame();
    return performance.now() - began;
}"""


def measure(report: Report) -> None:
    """Start a stack, fill the book, work with it."""
    report.is_aloud = True
    with own_stack() as stack:
        desks = [stack.desk() for _ in range(ACCOUNTS)]
        fill(stack, desks, ACCOUNTS * NAMES)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"),
                args=["--no-sandbox"] if os.geteuid() == 0 else [],
            )
            _positions(browser, stack, desks, report)
            _pasted(browser, stack, report)
            browser.close()


def _positions(browser: Browser, stack: RunningStack, desks: list[str], report: Report) -> None:
    with opened(browser, stack, desks) as page:
        page.goto(f"{stack.url}/")
        count = page.get_by_test_id("positions-grid-count")
        count.filter(has_text=re.compile(r"^\d+,\d{3}$")).wait_for()
        page.get_by_test_id("connection-state").get_by_text("Live").wait_for()
        page.wait_for_timeout(5_000)
        report.add("positions", int(count.inner_text().replace(",", "")), "")
        work: dict[str, Callable[[Page], None]] = {
            "nothing": lambda page: page.wait_for_timeout(5_000),
            "scroll": _scroll,
            "sort": _sort,
            "filter": _filter,
            "group by ticker": lambda page: _group(page, "By ticker"),
            "group by account": lambda page: _group(page, "By account"),
            "open all, by account": _open_all,
            "scroll the tree": _scroll,
            "sort the tree": _sort,
            "back to rows": lambda page: _group(page, "Rows"),
        }
        for name, do in work.items():
            _tell(report, name, _done(browser, page, name, do))


def _done(
    browser: Browser, page: Page, name: str, do: Callable[[Page], None]
) -> list[tuple[float, float]]:
    """The tasks while this is done, in milliseconds by the clock and on a core."""
    session = page.context.new_cdp_session(page) if PROFILES else None
    if session is not None:
        session.send("Profiler.enable")
        session.send("Profiler.setSamplingInterval", {"interval": 500})
        session.send("Profiler.start")
    browser.start_tracing(page=page, categories=TRACED)
    do(page)
    page.evaluate(DRAWN)
    page.wait_for_timeout(300)
    trace = browser.stop_tracing()
    if session is not None:
        found = session.send("Profiler.stop")["profile"]
        place = Path(PROFILES) / f"{name.replace(' ', '-')}.cpuprofile"
        place.write_text(json.dumps(found))
        session.detach()
    return tasks(trace)


def _tell(report: Report, name: str, found: list[tuple[float, float]]) -> None:
    walls, cores = zip(*found, strict=True)
    report.add(f"{name}: longest task", max(walls), "ms")
    report.add(f"{name}: longest task, on a core", max(cores), "ms")
    report.add(f"{name}: tasks above 100 ms on a core", sum(t > ALLOWED for t in cores), "")


def _body(page: Page) -> Locator:
    """What scrolls of the upper grid, whichever it is."""
    return page.locator(".grids .ag-grid-viewport").first


def _scroll(page: Page) -> None:
    """By the wheel, as fast as a hand turns it; then to the end and back."""
    body = _body(page)
    body.hover()
    for _ in range(60):
        page.mouse.wheel(0, 480)
        page.wait_for_timeout(16)
    for place in ("1e9", "0"):
        body.evaluate(f"(at) => (at.scrollTop = {place})")
        page.evaluate(DRAWN)
        page.wait_for_timeout(200)


def _sort(page: Page) -> None:
    for column in ("quantity", "market_value", "total_pnl"):
        for _ in range(2):
            heading = page.locator(f'.ag-header-cell[col-id="{column}"]').first
            heading.scroll_into_view_if_needed()
            heading.locator(".ag-header-cell-text").click()
            page.evaluate(DRAWN)
            page.wait_for_timeout(250)


def _filter(page: Page) -> None:
    field = page.get_by_label("Filter positions")
    field.click()
    for text in ("desk0", "pep"):
        page.keyboard.type(text, delay=80)
        page.wait_for_timeout(300)
        for _ in text:
            page.keyboard.press("Backspace")
            page.wait_for_timeout(40)


def _group(page: Page, name: str) -> None:
    page.get_by_role("group", name="Add positions up").get_by_role(
        "button", name=name, exact=True
    ).click()
    page.locator(".ag-row").first.wait_for()
    page.evaluate(DRAWN)
    page.wait_for_timeout(1_000)


def _open_all(page: Page) -> None:
    page.get_by_role("button", name="Open all").click()
    page.locator(".tree-leaf").first.wait_for()
    page.evaluate(DRAWN)
    page.wait_for_timeout(1_000)


def _pasted(browser: Browser, stack: RunningStack, report: Report) -> None:
    desk = stack.desk()
    took: list[float] = []
    found: list[tuple[float, float]] = []
    with opened(browser, stack, [desk]) as page:
        for number in range(PASTES):
            page.goto("about:blank")
            page.goto(f"{stack.url}/bulk/")
            page.evaluate(
                "Object.keys(localStorage).filter((k) => k.includes('draft'))"
                ".forEach((k) => localStorage.removeItem(k))"
            )
            page.reload()
            page.get_by_role("button", name="Type", exact=True).click()
            page.get_by_test_id("type-one").click()
            page.locator('[data-testid=bulk-grid] .ag-row[row-id="1"]').wait_for()
            page.keyboard.press("Escape")
            page.wait_for_timeout(800)
            lines = [f"PEP\t{desk}\tB\t{10 + n}\t{100 + n / 100:.2f}" for n in range(PASTED_ROWS)]
            text = "\n".join(["Ticker\tAccount\tSide\tQty\tPrice", *lines])
            page.locator('[data-testid=bulk-grid] .ag-row[row-id="1"] [col-id="ticker"]').click()

            def paste(page: Page, text: str = text) -> None:
                took.append(page.evaluate(PASTE, [text, str(PASTED_ROWS), "PEP"]))

            found += _done(browser, page, f"paste {number}", paste)
    report.rounds(f"{PASTED_ROWS} rows from paste to painted", took, "ms")
    _tell(report, "paste", found)
