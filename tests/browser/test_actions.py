"""Corporate actions on the page: proposed, looked at, confirmed, seen on the blotter to the cent,
and undone."""

from playwright.sync_api import Page, expect

from tests.browser.blotter_page import BlotterPage, cell
from tests.browser.conftest import Open
from tests.stack.running import RunningStack

CLOSE_BEFORE = """
from kernel import clock
from prices.closes.write import closes_load
closes_load(lines=["ticker,session,close", "{ticker},{day},{close}"], now=clock.now())
"""


def held(stack: RunningStack, desk: str, ticker: str, shares: int, close: str) -> tuple[str, str]:
    """So many are held since before today; today and the session before."""
    market = stack.client("trader").get("market/").json()
    before, today = market["previous_session"], market["business_date"]
    stack.shell(CLOSE_BEFORE.format(ticker=ticker, day=before, close=close))
    stack.client("trader").book(desk, ticker, "buy", shares, close, trade_date=before)
    return today, before


def propose(office: BlotterPage, ticker: str, kind: str, ex_date: str, **terms: str) -> None:
    office.go("Actions")
    form = office.page.get_by_role("form", name="Propose an action")
    form.get_by_label("Ticker").fill(ticker)
    form.get_by_label("Kind").select_option(label=kind)
    form.get_by_label("Ex-date").fill(ex_date)
    for label, value in terms.items():
        form.get_by_label(label.replace("_", " ")).fill(value)
    form.get_by_label("Reason").fill("announced")
    form.get_by_role("button", name="Propose").click()


def decide(page: Page, button: str, reason: str) -> None:
    form = page.get_by_role("form", name="Decide")
    form.get_by_label("Reason").fill(reason)
    form.get_by_role("button", name=button).click()


def test_a_split_is_proposed_confirmed_seen_and_undone(stack: RunningStack, open_as: Open) -> None:
    desk = stack.desk()
    today, _ = held(stack, desk, "CSCO", 100, "1208.88")
    stack.client("trader").book(desk, "CSCO", "buy", 50, "120.37", trade_date=today)
    override = stack.client("admin").override("CSCO", "121.79")
    office = open_as("middleoffice")
    page = office.page
    propose(office, "CSCO", "Split", today, Shares_after="10")
    row = page.get_by_test_id("ex-dates").locator("tr", has_text="CSCO")
    expect(row).to_contain_text("Split 10:1")
    expect(row).to_contain_text("held")
    expect(row).to_contain_text("proposed")
    action = page.get_by_test_id("action")
    effect = action.get_by_test_id("effects").locator("tr", has_text=desk)
    for shown in ("1,000", "973.00", "108,638.00"):
        expect(effect).to_contain_text(shown)
    decide(page, "Confirm version 1", "")
    expect(action.get_by_role("alert")).to_be_visible()
    decide(page, "Confirm version 1", "checked")
    expect(action.get_by_test_id("action-versions")).to_contain_text("confirmed by middleoffice")

    blotter = open_as("trader")
    blotter.watch_only(desk)
    position = blotter.position(desk, "CSCO")
    expect(position).to_contain_text("EX")
    for column, shown in (
        ("quantity", "1,050"), ("trade_pnl", "25.90"), ("position_pnl", "947.10"),
        ("action_pnl", "0.00"), ("total_pnl", "973.00"),
    ):  # fmt: skip
        expect(cell(position, column)).to_contain_text(shown)

    decide(page, "Undo", "another issuer's")
    expect(action).to_contain_text("cancelled")
    expect(row).to_contain_text("cancelled")
    expect(cell(position, "quantity")).to_contain_text("150")
    expect(position).not_to_contain_text("EX")
    stack.client("admin").end_override(override)


def test_a_dividend_stands_in_action_pnl(stack: RunningStack, open_as: Open) -> None:
    desk = stack.desk()
    today, _ = held(stack, desk, "PFE", 1000, "143.33")
    stack.client("trader").book(desk, "PFE", "buy", 200, "142.10", trade_date=today)
    override = stack.client("admin").override("PFE", "142.50")
    office = open_as("middleoffice")
    propose(office, "PFE", "Cash dividend", today, Cash_a_share="1.67")
    expect(office.page.get_by_test_id("action")).to_contain_text("Cash dividend 1.67 a share")
    decide(office.page, "Confirm version 1", "checked")

    blotter = open_as("trader")
    blotter.watch_only(desk)
    position = blotter.position(desk, "PFE")
    for column, shown in (
        ("quantity", "1,200"), ("trade_pnl", "246.00"), ("position_pnl", "996.00"),
        ("action_pnl", "1,670.00"), ("total_pnl", "920.00"),
    ):  # fmt: skip
        expect(cell(position, column)).to_contain_text(shown)
    decide(office.page, "Undo", "a test")
    expect(office.page.get_by_test_id("action")).to_contain_text("cancelled")
    stack.client("admin").end_override(override)


def test_a_viewer_looks_and_does_not_decide(stack: RunningStack, open_as: Open) -> None:
    viewer = open_as("viewer")
    viewer.go("Actions")
    expect(viewer.page.get_by_test_id("suggestions")).to_be_visible()
    expect(viewer.page.get_by_role("form")).to_have_count(0)
