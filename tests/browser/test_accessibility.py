"""Every page, at three widths, dark and light, against axe-core: nothing serious, and no page is
scrolled sideways."""

from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
from django.template.loader import render_to_string
from playwright.sync_api import Browser, FilePayload, Page, expect

from eqtrade.up.options import PROJECT
from tests.browser.blotter_page import BlotterPage
from tests.stack.running import PASSWORD, RunningStack

AXE = PROJECT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
SIZES = ((1440, 900), (1920, 1080), (390, 844))
SCHEMES: tuple[Literal["dark", "light"], ...] = ("dark", "light")
# Something is asked of it, a row is refused, and one is passed over.
ASKED: FilePayload = {
    "name": "asked.csv",
    "mimeType": "text/csv",
    "buffer": b"ticker;account;side;quantity;price;colour\nKO;Test1;buy;1.250;70;red\n"
    b"KO;Test1;hold;1;70;\nKO;Test1;Dividend;;;\n",
}
DRAWN = "new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))"
SERIOUS = ("serious", "critical")


def serious(page: Page, rules: list[str] | None = None) -> list[str]:
    """Findings that keep somebody out, each with where it is; by these rules, or by all."""
    if not page.evaluate("() => 'axe' in window"):
        # Not as a script of the page, whose policy would refuse it.
        page.evaluate(AXE.read_text())
    how: dict[str, Any] = {"resultTypes": ["violations"]}
    if rules is not None:
        how["runOnly"] = rules
    found: dict[str, Any] = page.evaluate("(how) => axe.run(document, how)", how)
    return [
        f"{rule['id']}: {rule['help']}: {node['target']} {node.get('failureSummary', '')}"
        for rule in found["violations"]
        if rule["impact"] in SERIOUS
        for node in rule["nodes"]
    ]


def grid(part: str) -> Callable[[Page], None]:
    return lambda page: expect(page.get_by_test_id(part).locator(".ag-row").first).to_be_visible()


def shows(part: str) -> Callable[[Page], None]:
    return lambda page: expect(page.get_by_test_id(part)).to_be_visible()


def preview(page: Page) -> None:
    page.get_by_test_id("bulk-file").set_input_files(ASKED)
    expect(page.get_by_test_id("preview-asks")).to_be_visible()


def drawer(page: Page) -> None:
    page.get_by_test_id("trades-grid").get_by_role("button", name="Details").first.click()
    expect(page.get_by_test_id("versions")).to_be_visible()


def shortcuts(page: Page) -> None:
    grid("positions-grid")(page)
    page.keyboard.press("?")
    expect(page.get_by_test_id("help")).to_be_visible()


def tree(page: Page) -> None:
    grid("positions-grid")(page)
    page.get_by_role("button", name="By account").click()
    page.get_by_role("button", name="Open all").click()
    expect(page.locator(".tree-leaf").first).to_be_visible()


def views(page: Page) -> None:
    grid("positions-grid")(page)
    page.get_by_test_id("views").get_by_role("button").first.click()
    expect(page.get_by_test_id("view-name")).to_be_visible()


def as_of(page: Page) -> None:
    page.get_by_test_id("as-of-begin").click()
    page.get_by_test_id("as-of-compare").check()
    grid("as-of-grid")(page)


def differences(page: Page) -> None:
    rows = page.get_by_test_id("pnl-days-grid").locator(".ag-row")
    rows.nth(1).locator('[col-id="session"]').click()
    expect(page.get_by_test_id("differences")).to_be_visible()


def alert_me(page: Page) -> None:
    """With a toast behind it, and the bell's number."""
    expect(page.get_by_test_id("alert-toast")).to_be_visible()
    page.get_by_test_id("alerts").get_by_role("button", name="Alert me…").click()
    expect(page.get_by_test_id("alert-dialog")).to_be_visible()


def asked(page: Page) -> None:
    """The ticket, with a question: nobody means such a quantity."""
    blotter = BlotterPage(page)
    blotter.fill_ticket("Test1", "KO", "990000", "60")
    blotter.submit.click()
    expect(page.get_by_test_id("ticket-question")).to_be_visible()


PAGES: dict[str, tuple[str, Callable[[Page], None]]] = {
    "positions": ("/", grid("positions-grid")),
    "drawer": ("/", drawer),
    "asked": ("/", asked),
    "tree": ("/", tree),
    "as-of": ("/", as_of),
    "shortcuts": ("/", shortcuts),
    "bulk": ("/bulk/", shows("bulk-grid")),
    "preview": ("/bulk/", preview),
    "prices": ("/prices/", grid("prices-grid")),
    "contributors": ("/pnl/?by=contributors", shows("treemap")),
    "pnl": ("/pnl/", grid("pnl-days-grid")),
    "differences": ("/pnl/", differences),
    "alerts": ("/alerts/", shows("alert")),
    "alert-me": ("/alerts/", alert_me),
    "day": ("/pnl/?chart=day", shows("day-lines")),
    "guards": ("/guards/", shows("guards")),
    "actions": ("/actions/", shows("ex-dates")),
    "instrument": ("/i/KO", shows("instrument-price")),
    "settlement": ("/settlement/", grid("settlement-grid")),
    "exceptions": ("/exceptions/", shows("exceptions-off_market")),
    "system": ("/system/", shows("lag")),
    "password": ("/password/", lambda page: None),
    "tokens": ("/tokens/", lambda page: None),
    "second-factor": ("/second-factor/", lambda page: None),
    "missing": ("/nothing/", lambda page: None),
    "forbidden": ("/admin/auth/group/add/", lambda page: None),
}


@pytest.fixture(scope="module")
def logged_in(stack: RunningStack, chromium: Browser) -> Iterator[Page]:
    """Middle office, which sees every page. Something is off market."""
    office = stack.client("middleoffice")
    office.book("Test4", "KO", "buy", "1", "1")
    alert = {"kind": "position", "account": "Test4", "ticker": "IBM", "way": "above"}
    assert office.post("alerts/", **alert, level="-1000000").status_code == 201
    office.book("Test4", "KO", "buy", "1", "60")
    page = chromium.new_context(reduced_motion="reduce").new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{stack.url}/")
    page.get_by_label("User name").fill("middleoffice")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    BlotterPage(page).wait_live()
    yield page
    page.context.close()


@pytest.mark.parametrize("name", PAGES)
def test_every_page_theme_and_width(stack: RunningStack, logged_in: Page, name: str) -> None:
    address, prepare = PAGES[name]
    page = logged_in
    # What is there would be asked about before it is left.
    page.goto("about:blank")
    page.set_viewport_size({"width": SIZES[0][0], "height": SIZES[0][1]})
    page.goto(f"{stack.url}{address}")
    prepare(page)
    assert findings(page) == []


def test_the_page_to_log_in(stack: RunningStack, chromium: Browser) -> None:
    page = chromium.new_context(reduced_motion="reduce").new_page()
    page.goto(f"{stack.url}/")
    assert findings(page) == []
    page.context.close()


@pytest.mark.parametrize("template", ["500.html", "403_csrf.html"])
def test_the_pages_of_what_went_wrong(stack: RunningStack, logged_in: Page, template: str) -> None:
    """As the server would answer, with its own style sheet."""
    page, address = logged_in, f"{stack.url}/went-wrong/"
    text = render_to_string(template)
    page.route(address, lambda route: route.fulfill(body=text, content_type="text/html"))
    page.goto(address)
    expect(page.get_by_role("alert")).to_be_visible()
    assert findings(page) == []
    page.unroute(address)


def findings(page: Page) -> list[str]:
    """At each width, dark and light."""
    found = []
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            page.evaluate(
                "new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))"
            )
            # A theme changes colours alone.
            rules = None if scheme == SCHEMES[0] else ["color-contrast"]
            found += [f"{width} {scheme}: {each}" for each in serious(page, rules)]
        if not page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
            found.append(f"{width}: the page is wider than the window")
    return found
