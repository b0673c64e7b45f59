"""The page's parts by what they are to a user."""

from playwright.sync_api import Locator, Page, expect

TIMEOUT = 60_000
"""Milliseconds; generous, so that a busy machine decides no test."""

expect.set_options(timeout=TIMEOUT)


class BlotterPage:
    """The blotter in one browser."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.banner = page.get_by_test_id("simulated-banner")
        self.state = page.get_by_test_id("connection-state")
        self.ticket = page.get_by_test_id("ticket-form")
        self.price = page.get_by_test_id("ticket-price")
        self.submit = page.get_by_test_id("ticket-submit")
        self.result = page.get_by_test_id("ticket-result")

    def wait_live(self) -> None:
        expect(self.state).to_contain_text("Live")

    def watch_only(self, account: str) -> None:
        """Choose this one account."""
        selector = self.page.get_by_test_id("account-selector")
        selector.get_by_role("button").first.click()
        selector.get_by_role("button", name=f"only {account}", exact=True).click()
        self.page.keyboard.press("Escape")
        expect(selector).to_contain_text(account)

    def go(self, name: str) -> None:
        """To another page, by its link."""
        self.page.get_by_role("navigation", name="Pages").get_by_role("link", name=name).click()

    def open_trade(self, trade_id: str) -> Locator:
        """Open the drawer of a trade."""
        self.trade(trade_id).get_by_role("button", name="Details").click()
        drawer = self.page.get_by_test_id("trade-drawer")
        expect(drawer.get_by_test_id("versions")).to_be_visible()
        return drawer

    def position(self, account: str, ticker: str) -> Locator:
        grid = self.page.get_by_test_id("positions-grid")
        return grid.locator(f'.ag-row[row-id="{account}|{ticker}"]')

    def trade(self, trade_id: str) -> Locator:
        return self.page.get_by_test_id("trades-grid").locator(f'.ag-row[row-id="{trade_id}"]')

    def trades(self) -> Locator:
        return self.page.get_by_test_id("trades-grid").locator(".ag-row")

    def total(self, account: str, field: str) -> Locator:
        card = self.page.get_by_test_id("totals-bar").locator(f'[data-account="{account}"]')
        return card.locator(f'[data-field="{field}"]')

    def pick_ticker(self, ticker: str) -> None:
        """Type it, and leave the field."""
        self.page.get_by_test_id("ticket-ticker").fill(ticker)
        self.page.get_by_test_id("ticket-ticker").press("Tab")

    def fill_ticket(
        self, account: str, ticker: str, quantity: str, price: str, side: str = "buy"
    ) -> None:
        """Fill everything in; the price last, since choosing a ticker offers one."""
        self.page.get_by_test_id("ticket-account").select_option(account)
        self.pick_ticker(ticker)
        self.page.get_by_test_id(f"ticket-side-{side}").check(force=True)
        self.page.get_by_test_id("ticket-quantity").fill(quantity)
        self.price.fill(price)

    def generate(self, count: int, *accounts: str) -> None:
        """Have so many rows made up in these accounts, on the page of bulk booking."""
        find = self.page.get_by_test_id
        self.page.get_by_role("button", name="Generate", exact=True).click()
        form = find("generate-form")
        for box in form.get_by_role("checkbox").all():
            box.set_checked(False)
        for account in accounts:
            form.get_by_label(account).check()
        find("generate-count").fill(str(count))
        find("generate-tickers").fill("KO, PEP")
        find("generate-submit").click()
        expect(find("bulk-ready")).to_have_text(str(count))

    def error(self, field: str) -> Locator:
        return self.page.get_by_test_id(f"ticket-error-{field}")


def cell(row: Locator, column: str) -> Locator:
    return row.locator(f'[col-id="{column}"]')
