"""An instrument beside every page, in a window of its own, linked and on a shared connection."""

from playwright.sync_api import expect

from tests.browser.blotter_page import TIMEOUT, cell
from tests.browser.conftest import Open
from tests.stack.running import RunningStack


def test_a_ticker_opens_beside_the_page(stack: RunningStack, open_as: Open) -> None:
    one, other, trader = stack.desk(), stack.desk(), stack.client("trader")
    trader.book(one, "HD", "buy", 100, 60)
    trader.book(other, "HD", "sell", 30, 60)
    page = open_as("trader")
    page.watch_only(one)
    find, keys = page.page.get_by_test_id, page.page.keyboard
    row = page.position(one, "HD")
    cell(row, "ticker").hover()
    page.page.get_by_test_id("positions-grid").get_by_role("button", name="Look into HD").click()
    panel = find("peek")
    expect(panel).to_be_visible()
    positions = find("instrument-positions")
    # In every account that one may view, watched or not.
    expect(positions.locator(f'[data-account="{one}"]')).to_contain_text("100")
    expect(positions.locator(f'[data-account="{other}"]')).to_contain_text("−30")
    expect(find("instrument-trades").locator("tbody tr")).to_have_count(2)
    expect(find("instrument-price").locator("b").first).to_contain_text(".")
    panel.get_by_role("button", name="History").click()
    expect(find("instrument-chart").locator(".u-over")).to_be_visible()
    expect(find("instrument-actions")).to_contain_text("None are known")
    keys.press("Escape")
    expect(panel).to_be_hidden()
    # By keys, from any row.
    cell(page.trades().first, "side").click()
    keys.press("i")
    expect(panel).to_have_attribute("aria-label", "HD")
    keys.press("Escape")
    page.go("Prices")
    first = find("prices-grid").locator(".ag-row").first
    cell(first, "name").click()
    keys.press("i")
    expect(panel).to_have_attribute("aria-label", cell(first, "ticker").inner_text())
    # No such ticker is said in words.
    page.page.goto(f"{stack.url}/i/NOSUCH")
    expect(find("instrument-missing")).to_contain_text("There is no instrument NOSUCH.")


def test_a_window_of_its_own_is_linked_and_served(stack: RunningStack, open_as: Open) -> None:
    desk, trader = stack.desk(), stack.client("trader")
    for ticker in ("HD", "KO", "PEP"):
        trader.book(desk, ticker, "buy", 10, 60)
    page = open_as("trader")
    page.watch_only(desk)
    cell(page.position(desk, "HD"), "quantity").click()
    page.page.keyboard.press("i")
    opened: list[str] = []
    page.page.context.on(
        "page", lambda popup: popup.on("websocket", lambda s: opened.append(s.url))
    )
    with page.page.expect_popup() as popping:
        page.page.get_by_test_id("peek-out").click()
    window = popping.value
    window.set_default_timeout(TIMEOUT)
    find = window.get_by_test_id
    expect(window).to_have_url(f"{stack.url}/i/HD")
    expect(find("connection-state")).to_contain_text("Live")
    expect(find("instrument-served")).to_be_visible()
    expect(window).to_have_title("HD · eqtrade")
    assert opened == []
    # It follows what is chosen, while it is linked.
    cell(page.position(desk, "KO"), "quantity").click()
    expect(find("instrument").get_by_role("heading", level=2)).to_have_text("KO")
    expect(window).to_have_url(f"{stack.url}/i/KO")
    find("instrument-linked").click()
    expect(find("instrument-linked")).to_have_text("Not linked")
    cell(page.position(desk, "PEP"), "quantity").click()
    expect(page.page.get_by_test_id("trades-only")).to_contain_text("PEP")
    expect(find("instrument").get_by_role("heading", level=2)).to_have_text("KO")
    # A booking comes by the other window's connection; then that one goes.
    trader.book(desk, "KO", "buy", 7, 60)
    held = find("instrument-positions").locator(f'[data-account="{desk}"]')
    expect(held).to_contain_text("17")
    with window.expect_websocket() as connecting:
        page.page.goto("about:blank")
    assert connecting.value.url.endswith("/ws/v1/blotter/")
    expect(find("connection-state")).to_contain_text("Live")
    expect(find("instrument-served")).to_be_hidden()
    trader.book(desk, "KO", "buy", 3, 60)
    expect(held).to_contain_text("20")
    # Opened directly it has a connection of its own at once.
    with window.expect_websocket():
        window.goto(f"{stack.url}/i/PEP")
    expect(find("connection-state")).to_contain_text("Live")
