"""Pictures of every page, to be looked at and for the README.

`python -m tests.browser.pictures DIR [NAME…]`. Each is taken at three sizes, in dark and light, of
a stack of its own with demo data and some trades.
"""

import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, ViewportSize

from tests.browser.blotter_page import BlotterPage
from tests.browser.chromium import running_chromium
from tests.browser.pictures_of_asking import ASKING, set_guards
from tests.browser.pictures_of_states import OF_ADMIN, STATES, set_states
from tests.stack.running import PASSWORD, RunningStack

PHONE = (390, 844)
SIZES = ((1440, 900), (1920, 1080), PHONE)
OF_ALERTS = ("alerts", "alert-me", "bell")
SCHEMES: tuple[Literal["dark", "light"], ...] = ("dark", "light")
TRADES = (
    ("AAPL", "buy", "300", "192.40"),
    ("IBM", "sell", "120", "144.10"),
    ("KO", "buy", "1500", "60.25"),
    ("NVDA", "sell", "80", "121.15"),
    ("PEP", "buy", "10", "90.00"),
)
WITHOUT_DESKS = """
from accounts.models import Entitlement
desks = Entitlement.objects.filter(account__code__startswith="Desk")
desks.update(can_view=False, can_book=False, can_correct=False)
"""
CHART = ".u-over"


def positions(page: Page) -> None:
    page.wait_for_selector("[data-testid=trades-grid] .ag-row")
    page.wait_for_selector(CHART)


def drawer(page: Page) -> None:
    positions(page)
    page.locator("[data-testid=trades-grid] .ag-row").first.get_by_role(
        "button", name="Details"
    ).click()
    page.wait_for_selector("[data-testid=versions]")


def earlier(page: Page) -> None:
    positions(page)
    page.locator('[data-testid=positions-grid] .ag-row [col-id="ticker"]').first.click()
    page.get_by_test_id("trades-earlier").click()
    page.wait_for_selector("[data-testid=earlier-trades] li")


def tree(page: Page) -> None:
    positions(page)
    page.get_by_role("button", name="By account").click()
    page.get_by_role("button", name="Open all").click()
    page.wait_for_selector(".tree-leaf")


def views(page: Page) -> None:
    positions(page)
    page.get_by_test_id("views").get_by_role("button").first.click()
    page.get_by_test_id("view-name").fill("Shorts by ticker")
    page.get_by_label("Share by its link").check()
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_selector("[data-testid=views] li")


def as_of(page: Page) -> None:
    positions(page)
    page.get_by_test_id("as-of-begin").click()
    page.get_by_test_id("as-of-compare").check()
    page.locator('[data-testid=as-of-grid] .ag-row [col-id="ticker"]').first.click()
    page.wait_for_selector("[data-testid=as-of-versions] li")


def ticket(page: Page) -> None:
    positions(page)
    page.get_by_test_id("ticket-ticker").fill("AAPL")
    page.get_by_test_id("ticket-ticker").press("Tab")
    page.get_by_test_id("ticket-quantity").fill("-5")
    page.get_by_test_id("ticket-submit").click()


def more(page: Page) -> None:
    positions(page)
    page.get_by_test_id("ticket-more").locator("summary").click()
    page.get_by_test_id("ticket-fees-commission").fill("4.50")


def bulk(page: Page) -> None:
    page.get_by_role("button", name="Generate", exact=True).first.click()
    page.get_by_role("button", name="Generate rows").click()
    page.wait_for_selector(".ag-row")


def preview(page: Page) -> None:
    """A European spreadsheet: what is asked of it is answered but for the accounts."""
    rows = (
        "Depotauszug vom 24.11.2026\n\n"
        "Datum;Papier;Richtung;Stück;Kurs;Bemerkung;Gebühr\n"
        "03.11.2026;AAPL;Kauf;1.250;268,50;Eröffnung;4,90\n"
        "04.11.2026;MSFT;Kauf;80;512,25;;4,90\n"
        "05.11.2026;BRK/B;Kauf;12;498,10;;4,90\n"
        "06.11.2026;AAPL;Dividende;;;Q3;\n"
        "09.11.2026;GOOGL;Halten;40;281,00;;4,90\n"
        "10.11.2026;APPL;Kauf;100;269,00;;4,90\n"
        "12.11.2026;MSFT;Verkauf;30;520,75;;4,90\n"
        "Summe;;;;;;29,40\n"
    )
    page.get_by_test_id("bulk-file").set_input_files(
        {"name": "depot-november.csv", "mimeType": "text/csv", "buffer": rows.encode("cp1252")}
    )
    meanings = ("trade_date", "ticker", "side", "quantity", "price", "note")
    for number, field in enumerate(meanings, start=1):
        page.get_by_test_id(f"column-{number}").select_option(field)
        page.wait_for_selector("[data-testid=preview][aria-busy=false]")


def preview_read(page: Page) -> None:
    preview(page)
    asks = page.get_by_test_id("preview-asks")
    asks.get_by_role("button", name="Pass over what is not known").click()
    asks.get_by_role("button", name="Day first: 24/11/2026").click()
    page.get_by_test_id("say-account").select_option("Test1")
    asks.wait_for(state="detached")


def prices(page: Page) -> None:
    page.locator('[data-testid=prices-grid] .ag-row [col-id="ticker"]').first.click()
    form = page.get_by_test_id("override-form")
    page.wait_for_timeout(1_000)
    # Of the picture before: the day's line goes on with quotes only.
    for end in form.get_by_role("button", name="End it now").all():
        end.click()
    page.wait_for_selector(f"[data-testid=price-detail] {CHART}")
    last = page.locator("[data-testid=price-detail] .last b").inner_text()
    form.get_by_label("Price").fill(last.replace(",", ""))
    form.get_by_label("Reason").fill("Halted; last price at the broker")
    form.get_by_role("button", name="Set").click()
    page.wait_for_selector("[data-testid=override-active]")


def pnl(page: Page) -> None:
    page.wait_for_selector(CHART)
    page.wait_for_selector("[data-testid=pnl-days-grid] .ag-row")


def contributors(page: Page) -> None:
    page.wait_for_selector("[data-testid=treemap] button")
    page.locator("[data-testid=contributors] li button").first.click()
    page.wait_for_selector("[data-testid=behind] li")


def system(page: Page) -> None:
    page.wait_for_selector("[data-testid=lag]")


def exceptions(page: Page) -> None:
    page.wait_for_selector("[data-testid=exceptions-off_market]")


def actions(page: Page) -> None:
    page.wait_for_selector("#ex-dates-title")


def look_into(page: Page) -> None:
    positions(page)
    page.locator('[data-testid=positions-grid] .ag-row [col-id="quantity"]').first.click()
    page.keyboard.press("i")
    page.wait_for_selector("[data-testid=instrument-positions] tbody tr")


def instrument(page: Page) -> None:
    page.wait_for_selector("[data-testid=instrument-positions] tbody tr")
    page.get_by_role("button", name="History").click()
    page.wait_for_selector(CHART)


def settlement(page: Page) -> None:
    page.wait_for_selector("[data-testid=settlement-grid] .ag-row")


def guards(page: Page) -> None:
    page.wait_for_selector("#guards-title")


def tagged(page: Page) -> None:
    positions(page)
    page.get_by_test_id("trades-tags").click()
    page.get_by_test_id("tagged-tag").fill("block")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-testid=tagged] li")


def alerts(page: Page) -> None:
    page.wait_for_selector("[data-testid=alert]")
    page.wait_for_selector("[data-testid=alert-toast]")


def alert_me(page: Page) -> None:
    page.wait_for_selector("[data-testid=positions-grid] .ag-row")
    page.locator("[data-testid=positions-grid] .ag-row").first.click()
    page.get_by_test_id("alert-position").click()
    page.wait_for_selector("[data-testid=alert-dialog]")


def bell(page: Page) -> None:
    page.wait_for_selector("[data-testid=alert-count]")
    page.get_by_test_id("alert-bell").get_by_role("button").first.click()


def day(page: Page) -> None:
    page.wait_for_selector("[data-testid=day-lines]")
    page.wait_for_selector(CHART)


def help_list(page: Page) -> None:
    positions(page)
    page.keyboard.press("?")
    page.wait_for_selector("[data-testid=help]")


def nothing(page: Page) -> None:
    page.wait_for_load_state()


SHOTS: dict[str, tuple[str, Callable[[Page], None]]] = {
    "positions": ("/", positions),
    "drawer": ("/", drawer),
    "earlier": ("/", earlier),
    "tagged": ("/", tagged),
    "ticket": ("/", ticket),
    "more": ("/", more),
    "tree": ("/", tree),
    "as-of": ("/", as_of),
    "views": ("/", views),
    "bulk": ("/bulk/", bulk),
    "preview": ("/bulk/", preview_read),
    "preview-asked": ("/bulk/", preview),
    "prices": ("/prices/", prices),
    "pnl": ("/pnl/", pnl),
    "actions": ("/actions/", actions),
    "contributors": ("/pnl/?by=contributors", contributors),
    "alerts": ("/alerts/", alerts),
    "alert-me": ("/", alert_me),
    "bell": ("/", bell),
    "day": ("/pnl/?chart=day", day),
    "peek": ("/", look_into),
    "instrument": ("/i/AAPL", instrument),
    "settlement": ("/settlement/", settlement),
    "guards": ("/guards/", guards),
    "exceptions": ("/exceptions/", exceptions),
    "system": ("/system/", system),
    "password": ("/password/", nothing),
    "tokens": ("/tokens/", nothing),
    "help": ("/", help_list),
    **ASKING,
    **STATES,
}


def take(stack: RunningStack, browser: Browser, place: Path, names: Iterable[str]) -> None:
    """Each page is loaded once, and shown at each size in each theme: to middle office, which sees
    every page, and to the administrator what is theirs."""
    wanted = list(names)
    of_admin = [name for name in wanted if name in OF_ADMIN]
    _take(stack, browser, place, "middleoffice", [each for each in wanted if each not in OF_ADMIN])
    if of_admin:
        _take(stack, browser, place, "admin", of_admin)


def _take(
    stack: RunningStack, browser: Browser, place: Path, user: str, names: Iterable[str]
) -> None:
    page = browser.new_context(viewport=_size(SIZES[0]), locale="en-GB").new_page()
    page.set_default_timeout(20_000)
    page.goto(f"{stack.url}/")
    _shoot(page, place, "login")
    page.get_by_label("User name").fill(user)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    BlotterPage(page).wait_live()
    for name in names:
        path, prepare = SHOTS[name]
        # Rows that are there would be asked about before the page is left.
        page.goto("about:blank")
        page.set_viewport_size(_size(SIZES[0]))
        page.goto(f"{stack.url}{path}")
        try:
            if name not in OF_ALERTS:
                _put_aside(page)
            prepare(page)
        except Exception as error:  # noqa: BLE001 - the picture shows what was there
            print(f"{name}: {error}", file=sys.stderr)
        _shoot(page, place, name)
        page.context.set_offline(False)
    page.context.close()


def _put_aside(page: Page) -> None:
    """The toasts of alerts, which would lie over other things."""
    if page.locator("[data-testid=alert-toasts]").count() == 0:
        return
    page.wait_for_selector("[data-testid=alert-toast]")
    page.get_by_role("button", name="Put it aside").click()


def _shoot(page: Page, place: Path, name: str) -> None:
    for size in SIZES:
        page.set_viewport_size(_size(size))
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            page.wait_for_timeout(600)
            # A phone is scrolled, and its bar lies over the page.
            path = place / f"{name}-{scheme}-{size[0]}.png"
            bar = "none" if size == PHONE else "auto"
            page.evaluate("(how) => (document.documentElement.style.scrollbarWidth = how)", bar)
            page.screenshot(path=path, full_page=size == PHONE)


def _size(size: tuple[int, int]) -> ViewportSize:
    return {"width": size[0], "height": size[1]}


def set_alerts(stack: RunningStack) -> None:
    """Some that fire with the next booking, and some that wait."""
    office = stack.client("middleoffice")
    of = {"account": "Test1", "ticker": "IBM"}
    office.post("alerts/", kind="position", **of, way="below", level="-100")
    office.post("alerts/", kind="others_trades", account="Test2")
    office.post("alerts/", kind="price", ticker="AAPL", way="above", level="1000000")
    office.post("alerts/", kind="account_pnl", account="Test1", way="below", level="-2500000")
    office.post("alerts/", kind="stale", account="Test2", level="10", is_once=True)
    stack.client("trader").book("Test2", "PEP", "buy", "5", "91")


def main(place: Path, names: Iterable[str]) -> None:
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="eqtrade-", dir="/tmp") as data:
        Path(data).chmod(0o711)
        stack = RunningStack(Path(data) / "data")
        try:
            stack.start()
            stack.shell(WITHOUT_DESKS)
            trader = stack.client("trader")
            for account in ("Test1", "Test2"):
                for terms in TRADES:
                    trader.book(account, *terms)
                ticker, side = TRADES[2][:2]
                trader.post(
                    "trades/",
                    account=account,
                    ticker=ticker,
                    side=side,
                    price="69",
                    quantity="700",
                    fees=[{"kind": "commission", "amount": "7.50"}],
                    client_trade_id=f"fees-{account}",
                )
            set_alerts(stack)
            set_guards(stack)
            set_states(stack)
            with running_chromium(scrollbars=True) as browser:
                take(stack, browser, place, names)
        finally:
            stack.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:] or SHOTS)
