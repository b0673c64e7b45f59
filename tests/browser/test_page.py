"""The page in a real browser: what a user sees and does."""

from playwright.sync_api import expect

from tests.browser.blotter_page import BlotterPage, cell
from tests.browser.conftest import Open
from tests.stack.examples import examples
from tests.stack.running import RunningStack

# As the page writes them: a gain has its sign, and minus is U+2212.
SHOWN = {
    "AAPL": ("40", "192.81", "+7,424.40", "−112.00", "+7,312.40"),
    "IBM": ("100", "144.07", "+13,333.00", "+74.00", "+13,407.00"),
}
COLUMNS = ("quantity", "price", "trade_pnl", "position_pnl", "total_pnl")
TOTAL = {"trade_pnl": "+20,757.40", "position_pnl": "−38.00", "total_pnl": "+20,719.40"}


def test_the_page_shows_the_reference_figures_while_they_are_booked(
    stack: RunningStack, open_as: Open
) -> None:
    """The reference system's own numbers, on our page, while they are booked."""
    example = examples()[0]
    desk = stack.desk()
    page = open_as("trader")
    page.watch_only(desk)
    with example.priced(stack):
        booked = example.book(stack, desk)
        for ticker, shown in SHOWN.items():
            for column, text in zip(COLUMNS, shown, strict=True):
                expect(cell(page.position(desk, ticker), column)).to_contain_text(text)
        for trade, shown_pnl in zip(
            booked, ("+1,856.10", "+5,568.30", "+1,333.30", "+11,999.70"), strict=True
        ):
            expect(cell(page.trade(trade["id"]), "trade_pnl")).to_have_text(shown_pnl)
        for field, text in TOTAL.items():
            expect(page.total(desk, field)).to_have_text(text)
        expect(page.banner).to_contain_text("SIMULATED")


def test_booking_changes_the_grid_without_reload(stack: RunningStack, open_as: Open) -> None:
    desk = stack.desk()
    page = open_as("trader")
    page.watch_only(desk)
    page.page.evaluate("window.sameDocument = true")
    stack.client("trader").book(desk, "KO", "buy", "1250", "60.25")
    expect(cell(page.position(desk, "KO"), "quantity")).to_have_text("1,250")
    expect(page.trades()).to_have_count(1)
    page.fill_ticket(desk, "KO", "1,500", "60.5", side="sell")
    page.submit.click()
    expect(page.result).to_contain_text("Booked")
    expect(page.result).to_contain_text("Sold 1,500 KO @ 60.50")
    expect(cell(page.position(desk, "KO"), "quantity")).to_have_text("−250")
    expect(page.trades()).to_have_count(2)
    expect(cell(page.trades().first, "price")).to_have_text("60.50")
    assert page.page.evaluate("window.sameDocument") is True
    quantities = stack.client("trader").quantities(desk)
    assert quantities == {"KO": -250}


def test_errors_stand_beside_their_fields(stack: RunningStack, open_as: Open) -> None:
    """Both the page's own complaints and the server's. Nothing is booked."""
    desk = stack.desk()
    page = open_as("trader")
    page.watch_only(desk)
    page.fill_ticket(desk, "KO", "many", "60")
    # Emptied by hand, so that no offered price comes into it, however late.
    page.price.fill("")
    page.submit.click()
    expect(page.error("quantity")).to_contain_text("More than 0")
    expect(page.error("price")).to_contain_text("More than 0")
    # Eleven decimals are the server's to refuse.
    page.fill_ticket(desk, "KO", "1.00000000001", "60")
    page.submit.click()
    expect(page.error("quantity")).to_contain_text("decimal")
    expect(page.error("price")).to_be_empty()
    expect(page.page.get_by_test_id("ticket-quantity")).to_have_attribute("aria-invalid", "true")
    page.fill_ticket(desk, "NOSUCH", "1", "60")
    page.submit.click()
    expect(page.error("ticker")).not_to_be_empty()
    assert stack.client("trader").rows("trades/", account=desk) == []


def test_a_viewer_cannot_book(stack: RunningStack, open_as: Open) -> None:
    page = open_as("viewer")
    expect(page.page.get_by_text("You may view, but not book.")).to_be_visible()
    expect(page.submit).to_have_count(0)
    # Not the page alone: the server refuses, too.
    answer = stack.client("viewer").post(
        "trades/", account="Test1", ticker="KO", side="buy", quantity="1", price="60"
    )
    assert answer.status_code == 403


def test_two_browsers_at_once(stack: RunningStack, open_as: Open) -> None:
    """What one books, the other sees; both connections follow on."""
    desk = stack.desk()
    pages: list[BlotterPage] = [open_as("trader"), open_as("middleoffice")]
    for page in pages:
        page.watch_only(desk)
    for number, page in enumerate(pages, start=1):
        page.fill_ticket(desk, "PEP", "100", "150")
        page.submit.click()
        for each in pages:
            expect(cell(each.position(desk, "PEP"), "quantity")).to_have_text(f"{number}00")
            expect(each.trades()).to_have_count(number)


def test_the_page_finds_its_connection_again(stack: RunningStack, open_as: Open) -> None:
    """The ws process dies: the page connects again, and has missed nothing."""
    desk = stack.desk()
    page = open_as("trader")
    page.watch_only(desk)
    stack.kill("ws")
    stack.client("trader").book(desk, "PG", "buy", 7, 150)
    expect(cell(page.position(desk, "PG"), "quantity")).to_have_text("7")
    page.wait_live()
