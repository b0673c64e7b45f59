"""Correcting and cancelling from the grid: the drawer with a trade's versions."""

from playwright.sync_api import expect

from tests.browser.blotter_page import cell
from tests.browser.conftest import Open
from tests.stack.running import RunningStack


def test_a_trade_is_corrected_and_cancelled(stack: RunningStack, open_as: Open) -> None:
    """What changed is marked, with who and why; positions follow on another screen, too."""
    desk = stack.desk()
    page, other = open_as("trader"), open_as("middleoffice")
    for each in (page, other):
        each.watch_only(desk)
    trade = stack.client("trader").book(desk, "KO", "buy", "100", "60")["id"]
    drawer = page.open_trade(trade)
    drawer.get_by_test_id("drawer-amend").click()
    drawer.get_by_label("Quantity").fill("150")
    drawer.get_by_role("button", name="Correct the trade").click()
    expect(drawer.get_by_test_id("amend-error-reason")).to_have_text("Say why.")
    drawer.get_by_label("Reason").fill("misheard the quantity")
    drawer.get_by_role("button", name="Correct the trade").click()
    second = drawer.locator('[data-version="2"]')
    expect(second).to_contain_text("by trader")
    expect(second).to_contain_text("misheard the quantity")
    expect(second.locator("del")).to_have_text("100")
    expect(second.locator("ins")).to_have_text("150")
    for each in (page, other):
        expect(cell(each.position(desk, "KO"), "quantity")).to_have_text("150")
        expect(cell(each.trade(trade), "status")).to_have_text("Amended v2")

    drawer.get_by_test_id("drawer-cancel").click()
    drawer.get_by_label("Reason").fill("not ours")
    drawer.get_by_role("button", name="Cancel the trade").click()
    expect(drawer.get_by_test_id("drawer-status")).to_have_text("Cancelled v3")
    expect(drawer).to_contain_text("Cancelled for good")
    expect(cell(other.trade(trade), "status")).to_have_text("Cancelled v3")
    page.page.keyboard.press("Escape")
    expect(drawer).to_have_count(0)
    expect(cell(page.trade(trade), "trade_pnl")).to_have_text("0.00")


def test_a_stale_version_says_so_and_reloads(stack: RunningStack, open_as: Open) -> None:
    """Somebody else was first: nothing is lost, and their version is shown."""
    desk = stack.desk()
    page = open_as("trader")
    page.watch_only(desk)
    trade = stack.client("trader").book(desk, "KO", "buy", "100", "60")["id"]
    drawer = page.open_trade(trade)
    drawer.get_by_test_id("drawer-amend").click()
    drawer.get_by_label("Quantity").fill("170")
    drawer.get_by_label("Reason").fill("mine")
    answer = stack.client("trader").session.patch(
        f"{stack.url}/api/v1/trades/{trade}/",
        json={"version": 1, "reason": "theirs", "quantity": "120"},
        timeout=60,
    )
    assert answer.status_code == 200, answer.text
    drawer.get_by_role("button", name="Correct the trade").click()
    expect(drawer.get_by_test_id("drawer-problem")).to_contain_text("as it is now")
    expect(drawer.locator('[data-version="2"]')).to_contain_text("theirs")
    assert stack.client("trader").quantities(desk) == {"KO": 120}


def test_who_may_only_view_is_told_so(stack: RunningStack, open_as: Open) -> None:
    trade = stack.client("middleoffice").book("Test1", "KO", "buy", "1", "60")["id"]
    page = open_as("viewer")
    page.watch_only("Test1")
    drawer = page.open_trade(trade)
    expect(drawer).to_contain_text("You may view this account, but not correct in it.")
    expect(drawer.get_by_test_id("drawer-amend")).to_have_count(0)


def test_another_trade_that_does_not_load_leaves_none_to_cancel(
    stack: RunningStack, open_as: Open
) -> None:
    desk = stack.desk()
    page = open_as("trader")
    page.watch_only(desk)
    first, second = (
        stack.client("trader").book(desk, ticker, "buy", "100", "60")["id"]
        for ticker in ("KO", "PEP")
    )
    drawer = page.open_trade(first)
    page.page.route(f"**/api/v1/trades/{second}/**", lambda route: route.abort())
    cell(page.trade(second), "ticker").dblclick()
    expect(drawer.get_by_test_id("drawer-problem")).to_be_visible()
    expect(drawer.get_by_test_id("drawer-cancel")).to_have_count(0)
    expect(drawer).not_to_contain_text("KO")


def test_a_trade_amended_meanwhile_is_not_cancelled(stack: RunningStack, open_as: Open) -> None:
    """What is cancelled is the version that was on the screen when the user chose to."""
    desk = stack.desk()
    page = open_as("trader")
    page.watch_only(desk)
    client = stack.client("trader")
    trade = client.book(desk, "KO", "buy", "100", "60")["id"]
    drawer = page.open_trade(trade)
    drawer.get_by_test_id("drawer-cancel").click()
    drawer.get_by_label("Reason").fill("not ours")
    answer = client.session.patch(
        f"{stack.url}/api/v1/trades/{trade}/",
        json={"version": 1, "reason": "theirs", "quantity": "120"},
        timeout=60,
    )
    assert answer.status_code == 200, answer.text
    expect(drawer.locator('[data-version="2"]')).to_contain_text("theirs")
    drawer.get_by_role("button", name="Cancel the trade").click()
    expect(drawer.get_by_test_id("drawer-problem")).to_contain_text("as it is now")
    assert client.quantities(desk) == {"KO": 120}


def test_a_trade_of_an_earlier_day_is_found_at_its_position(
    stack: RunningStack, open_as: Open
) -> None:
    """It stands in no grid of today, and is wrong all the same."""
    desk, trader = stack.desk(), stack.client("trader")
    before = trader.get("market/").json()["previous_session"]
    trade = trader.book(desk, "PEP", "buy", "100", "60", trade_date=before)["id"]
    page = open_as("admin")
    page.watch_only(desk)
    cell(page.position(desk, "PEP"), "quantity").click()
    page.page.get_by_test_id("trades-earlier").click()
    earlier = page.page.get_by_test_id("earlier-trades")
    expect(earlier).to_contain_text(f"Earlier trades of PEP in {desk}")
    expect(earlier.get_by_role("listitem")).to_have_count(1)
    expect(earlier).to_contain_text(before)
    earlier.get_by_role("button", name="Details").click()
    drawer = page.page.get_by_test_id("trade-drawer")
    drawer.get_by_test_id("drawer-amend").click()
    drawer.get_by_label("Quantity").fill("120")
    drawer.get_by_label("Reason").fill("misheard")
    drawer.get_by_role("button", name="Correct the trade").click()
    expect(drawer.get_by_test_id("drawer-status")).to_have_text("Amended v2")
    page.page.keyboard.press("Escape")
    expect(earlier).to_contain_text("120 @ 60.00")
    expect(earlier).to_contain_text("Amended v2")
    earlier.get_by_role("button", name="Details").click()
    drawer.get_by_test_id("drawer-cancel").click()
    drawer.get_by_label("Reason").fill("of another desk")
    drawer.get_by_role("button", name="Cancel the trade").click()
    expect(drawer.get_by_test_id("drawer-status")).to_have_text("Cancelled v3")
    page.page.keyboard.press("Escape")
    expect(earlier).to_contain_text("Cancelled v3")
    page.page.keyboard.press("Escape")
    expect(earlier).to_have_count(0)
    # Back where the list was opened from.
    expect(page.page.get_by_test_id("trades-earlier")).to_be_focused()
    assert trader.get(f"trades/{trade}/").json()["status"] == "cancelled"


def test_many_earlier_trades_come_page_by_page(stack: RunningStack, open_as: Open) -> None:
    desk, trader = stack.desk(), stack.client("trader")
    before = trader.get("market/").json()["previous_session"]
    terms = {"account": desk, "ticker": "PEP", "side": "buy", "quantity": "1", "price": "60"}
    answer = trader.post("trades/bulk/", trades=[{**terms, "trade_date": before}] * 60)
    assert answer.status_code == 201, answer.text
    page = open_as("trader")
    page.watch_only(desk)
    cell(page.position(desk, "PEP"), "quantity").click()
    asked: list[str] = []
    page.page.on("request", lambda request: asked.append(request.url))
    page.page.get_by_test_id("trades-earlier").click()
    earlier = page.page.get_by_test_id("earlier-trades")
    expect(earlier.get_by_role("listitem")).to_have_count(50)
    # Nobody asked for more, and nothing more is asked for.
    page.page.wait_for_timeout(1500)
    assert len([url for url in asked if "/trades/?" in url]) == 1
    earlier.get_by_test_id("earlier-more").click()
    expect(earlier.get_by_role("listitem")).to_have_count(60)
    expect(earlier.get_by_test_id("earlier-more")).to_have_count(0)
    # It is of the selected position, and goes with it.
    trader.book(desk, "KO", "buy", "1", "60")
    cell(page.position(desk, "KO"), "quantity").click()
    expect(earlier).to_have_count(0)


def test_a_part_of_the_page_that_cannot_be_loaded_is_told(
    stack: RunningStack, open_as: Open
) -> None:
    """As after an upgrade, when its file is no more; the rest of the page goes on."""
    desk = stack.desk()
    trade = stack.client("trader").book(desk, "KO", "buy", "100", "60")["id"]
    page = open_as("trader")
    page.page.route("**/TradeDrawer-*.js", lambda route: route.abort())
    page.watch_only(desk)
    page.trade(trade).get_by_role("button", name="Details").click()
    told = page.page.get_by_role("alert").filter(has_text="reload the page")
    expect(told).to_contain_text("This part of the page could not be loaded.")
    told.get_by_role("button", name="Close").click()
    expect(told).to_have_count(0)
    page.fill_ticket(desk, "KO", "5", "60")
    page.submit.click()
    expect(page.result).to_contain_text("Bought 5 KO")
