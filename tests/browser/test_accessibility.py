"""Every page, dark and light, against axe-core: nothing serious."""

from typing import Any

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from eqtrade.up.options import PROJECT
from tests.browser.blotter_page import BlotterPage
from tests.stack.running import PASSWORD, RunningStack

AXE = PROJECT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
PAGES = {
    "Positions": "positions-grid",
    "Bulk booking": "bulk-grid",
    "Prices": "prices-grid",
    "P&L history": "pnl-days-grid",
    "Guards": "guards",
    "System": "lag",
}
# Something is asked of it, a row is refused, and one is passed over.
ASKED: FilePayload = {
    "name": "asked.csv",
    "mimeType": "text/csv",
    "buffer": b"ticker;account;side;quantity;price;colour\nKO;Test1;buy;1.250;70;red\n"
    b"KO;Test1;hold;1;70;\nKO;Test1;Dividend;;;\n",
}
SERIOUS = ("serious", "critical")


def serious(page: Page) -> list[str]:
    """Findings that keep somebody out, each with where it is."""
    # Not as a script of the page, whose policy would refuse it.
    page.evaluate(AXE.read_text())
    found: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{rule['id']}: {rule['help']}: {node['target']} {node.get('failureSummary', '')}"
        for rule in found["violations"]
        if rule["impact"] in SERIOUS
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_no_page_has_a_serious_axe_finding(
    stack: RunningStack, chromium: Browser, scheme: Any
) -> None:
    context = chromium.new_context(
        viewport={"width": 1440, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{stack.url}/")
    found = {"Log in": serious(page)}
    page.get_by_label("User name").fill("middleoffice")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    blotter = BlotterPage(page)
    blotter.wait_live()
    for name, part in PAGES.items():
        blotter.go(name)
        shown = page.get_by_test_id(part)
        expect(shown).to_be_visible()
        if name in ("Positions", "Prices", "P&L history"):
            expect(shown.locator(".ag-row").first).to_be_visible()
        found[name] = serious(page)
        if name == "Bulk booking":
            page.get_by_test_id("bulk-file").set_input_files(ASKED)
            expect(page.get_by_test_id("preview-asks")).to_be_visible()
            found["Preview"] = serious(page)
    blotter.go("Positions")
    page.get_by_test_id("trades-grid").get_by_role("button", name="Details").first.click()
    expect(page.get_by_test_id("versions")).to_be_visible()
    found["A trade's drawer"] = serious(page)
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_test_id("help")).to_be_visible()
    found["Shortcuts"] = serious(page)
    page.goto(f"{stack.url}/password/")
    found["Change password"] = serious(page)
    page.goto(f"{stack.url}/tokens/")
    found["Tokens"] = serious(page)
    context.close()
    assert {name: rules for name, rules in found.items() if rules} == {}
