"""States of the pages that come up in the course of work, to be looked at."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.blotter_page import BlotterPage
from tests.browser.test_held_back import HOLD
from tests.browser.test_new_users import RAN_YESTERDAY
from tests.browser.test_typing import PASTE, PASTED
from tests.stack.running import PASSWORD, RunningStack

OF_ADMIN = ("audit", "trades-admin")
"""Pictured as the administrator sees them."""
Prepare = Callable[[Page], None]


def set_states(stack: RunningStack) -> None:
    """Prices that are held back, an action with two versions, a late trade, and an amended one."""
    stack.shell(HOLD)
    stack.shell(RAN_YESTERDAY)
    office = stack.client("middleoffice")
    market = office.get("market/").json()
    today, before = market["business_date"], market["previous_session"]
    terms = {"ticker": "PFE", "kind": "cash_dividend", "ex_date": today, "cash": "0.42"}
    action = office.post("corporate-actions/", **terms, reason="announced").json()["id"]
    address = f"{office.url}/api/v1/corporate-actions/{action}/"
    office.session.patch(address, json={"version": 1, "cash": "0.43", "reason": "misread"})
    office.book("Test1", "PFE", "buy", "1000", "25", trade_date=before)
    trade = office.book("Test1", "MSFT", "buy", "40", "410")["id"]
    office.post(f"trades/{trade}/tags/", add=["block", "check"])
    answer = office.session.patch(
        f"{office.url}/api/v1/trades/{trade}/",
        json={"version": 1, "quantity": "400", "reason": "A zero was missing"},
    )
    if answer.status_code == 409:
        office.session.patch(
            f"{office.url}/api/v1/trades/{trade}/",
            json={
                "version": 1,
                "quantity": "400",
                "reason": "A zero was missing",
                "confirm": answer.json()["confirm"],
            },
        )


def _first_trade(page: Page) -> None:
    page.locator("[data-testid=trades-grid] .ag-row").first.get_by_role(
        "button", name="Details"
    ).click()
    page.wait_for_selector("[data-testid=versions]")


def amend(page: Page) -> None:
    _first_trade(page)
    page.get_by_test_id("drawer-amend").click()


def cancel(page: Page) -> None:
    _first_trade(page)
    page.get_by_test_id("drawer-cancel").click()


def columns(page: Page) -> None:
    page.wait_for_selector("[data-testid=trades-grid] .ag-row")
    page.get_by_test_id("trades-grid").get_by_role("button", name="Columns").click()


def accounts(page: Page) -> None:
    page.wait_for_selector("[data-testid=trades-grid] .ag-row")
    page.get_by_test_id("account-selector").get_by_role("button").first.click()


def menu(page: Page) -> None:
    page.wait_for_selector("[data-testid=trades-grid] .ag-row")
    page.get_by_test_id("user-menu").get_by_role("button").first.click()


def offline(page: Page) -> None:
    page.wait_for_selector("[data-testid=trades-grid] .ag-row")
    page.context.set_offline(True)
    expect(page.get_by_test_id("connection-state")).not_to_contain_text("Live")


def nothing_found(page: Page) -> None:
    page.wait_for_selector("[data-testid=trades-grid] .ag-row")
    page.get_by_label("Filter trades").fill("no such trade")


def range_of_cells(page: Page) -> None:
    rows = page.locator("[data-testid=positions-grid] .ag-row")
    rows.first.locator('[col-id="quantity"]').click()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "ArrowRight"):
        page.keyboard.press(f"Shift+{key}")


def held_back(page: Page) -> None:
    page.wait_for_selector("[data-testid=held-back] li")


def action(page: Page) -> None:
    page.get_by_test_id("ex-dates").locator("tr", has_text="PFE").get_by_role("button").click()
    page.wait_for_selector("[data-testid=action-versions]")


def typed(page: Page) -> None:
    page.get_by_role("button", name="Type", exact=True).click()
    page.get_by_test_id("type-one").click()
    page.wait_for_selector("[data-testid=bulk-grid] .ag-row")
    page.keyboard.press("Escape")
    page.evaluate(PASTE, PASTED)


def booked_file(page: Page) -> None:
    rows = "ticker,account,side,quantity,price\n" + "KO,Test1,buy,10,70\n" * 12
    rows += "NOSUCH,Test1,buy,10,70\n"
    page.get_by_test_id("bulk-file").set_input_files(
        {"name": "rows.csv", "mimeType": "text/csv", "buffer": rows.encode()}
    )
    page.wait_for_selector("[data-testid=preview][aria-busy=false]")
    page.get_by_test_id("bulk-book").click()
    page.wait_for_selector("[data-testid=import][data-state=done]")


def nothing_typed(page: Page) -> None:
    page.evaluate(
        "Object.keys(localStorage).filter((each) => each.endsWith('bulk.draft'))"
        ".forEach((each) => localStorage.removeItem(each))"
    )
    page.reload()
    page.wait_for_selector("[data-testid=bulk-grid]")


def by_ticker(page: Page) -> None:
    page.wait_for_selector("[data-testid=pnl-tickers-grid] .ag-row")


def differences(page: Page) -> None:
    page.locator("[data-testid=pnl-days-grid] .ag-row").nth(1).click()
    page.wait_for_selector("[data-testid=differences]")


def new_token(page: Page) -> None:
    page.get_by_label("What it is for").fill("an order router with quite a long name")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Make it").click()
    page.wait_for_selector("[data-testid=new-key]")


def loaded(page: Page) -> None:
    page.wait_for_load_state()


def nothing_watched(page: Page) -> None:
    page.wait_for_selector("[data-testid=positions-grid]")
    selector = page.get_by_test_id("account-selector")
    selector.get_by_role("button").first.click()
    for box in selector.get_by_role("checkbox").all():
        box.set_checked(False)
    page.keyboard.press("Escape")


def watch_again(page: Page) -> None:
    BlotterPage(page).watch_only("Test1")


STATES: dict[str, tuple[str, Prepare]] = {
    "amend": ("/", amend),
    "cancel": ("/", cancel),
    "columns": ("/", columns),
    "accounts": ("/", accounts),
    "menu": ("/", menu),
    "range": ("/", range_of_cells),
    "held-back": ("/prices/", held_back),
    "action": ("/actions/", action),
    "typed": ("/bulk/", typed),
    "bulk-empty": ("/bulk/", nothing_typed),
    "imports": ("/bulk/", booked_file),
    "pnl-tickers": ("/pnl/?by=ticker", by_ticker),
    "differences": ("/pnl/", differences),
    "new-token": ("/tokens/", new_token),
    "audit": ("/admin/audit/record/", loaded),
    "trades-admin": ("/admin/trades/trade/", loaded),
    "missing": ("/nothing/", loaded),
    "forbidden": ("/admin/auth/group/add/", loaded),
    "instrument-missing": ("/i/NOSUCH", loaded),
    "offline": ("/", offline),
    "nothing-found": ("/", nothing_found),
    "nothing-watched": ("/", nothing_watched),
    "one-account": ("/", watch_again),
}
