"""Each state of the ticket and of the bulk grid in which a mistake asks, to be looked at."""

from collections.abc import Callable

from playwright.sync_api import Page

from tests.browser.test_asking import guard
from tests.stack.running import RunningStack

ACCOUNT, TICKER = "Test3", "AAPL"


def set_guards(stack: RunningStack) -> None:
    """What asks and what refuses, in an account that nothing else is pictured of."""
    guard(
        stack,
        ACCOUNT,
        off_mark={"warn": "3", "refuse": "50"},
        large_quantity={"warn": "100", "refuse": "1000000"},
        of_position={"warn": "10"},
    )


def _filled(page: Page, quantity: str, price: str | None = None) -> None:
    page.wait_for_selector("[data-testid=trades-grid] .ag-row")
    page.get_by_test_id("ticket-account").select_option(ACCOUNT)
    page.get_by_test_id("ticket-ticker").fill(TICKER)
    page.get_by_test_id("ticket-ticker").press("Tab")
    page.get_by_test_id("ticket-quantity").fill(quantity)
    if price is not None:
        page.get_by_test_id("ticket-price").fill(price)
    page.wait_for_selector("[data-testid=ticket-effect]")


def before(page: Page) -> None:
    _filled(page, "5")


def warned(page: Page) -> None:
    _filled(page, "50000")
    page.wait_for_selector("[data-testid=ticket-effect] p[data-code]")


def asked(page: Page) -> None:
    _filled(page, "50000")
    page.get_by_test_id("ticket-submit").click()
    page.wait_for_selector("[data-testid=ticket-question]")


def refused(page: Page) -> None:
    _filled(page, "50000", "999999")
    page.wait_for_selector("[data-testid=ticket-effect] .refuse")
    page.get_by_test_id("ticket-submit").click()


def booked(page: Page) -> None:
    _filled(page, "5")
    page.get_by_test_id("ticket-submit").click()
    page.wait_for_selector("[data-testid=ticket-result]")


def _generated(page: Page) -> None:
    page.get_by_role("button", name="Generate", exact=True).first.click()
    page.get_by_role("button", name="Generate rows").click()
    page.wait_for_selector(".ag-row")


def rows_asked(page: Page) -> None:
    _generated(page)
    page.get_by_test_id("bulk-book").click()
    page.wait_for_selector("[data-testid=bulk-question]")


def rows_booked(page: Page) -> None:
    rows_asked(page)
    page.get_by_test_id("bulk-question").press("Control+Enter")
    page.wait_for_selector("[data-testid=bulk-booked]")


ASKING: dict[str, tuple[str, Callable[[Page], None]]] = {
    "ticket-before": ("/", before),
    "ticket-warned": ("/", warned),
    "ticket-asked": ("/", asked),
    "ticket-refused": ("/", refused),
    "ticket-booked": ("/", booked),
    "rows-asked": ("/bulk/", rows_asked),
    "rows-booked": ("/bulk/", rows_booked),
}
