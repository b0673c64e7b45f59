"""Settlement and tags on the page: what is unsettled and overdue, and trades found by a tag."""

from datetime import date, timedelta

from playwright.sync_api import expect

from tests.browser.blotter_page import cell
from tests.browser.conftest import Open
from tests.stack.client import Client, Row
from tests.stack.running import RunningStack


def long_settled(client: Client, account: str, day: date) -> Row:
    """A trade of the last session on or before a day, by which it has settled."""
    terms = {"account": account, "ticker": "MMM", "side": "buy", "quantity": "100", "price": "60"}
    while client.post("trades/check/", **terms, trade_date=str(day)).status_code != 200:
        day -= timedelta(days=1)
    return client.book(account, "MMM", "buy", 100, 60, trade_date=str(day))


def test_what_is_unsettled_and_overdue_is_told(stack: RunningStack, open_as: Open) -> None:
    # An account in which middle office may correct.
    desk, office = "Test3", stack.client("middleoffice")
    market = office.get("market/").json()
    past = date.fromisoformat(market["previous_session"]) - timedelta(days=14)
    late = long_settled(office, desk, past)
    later = office.book(desk, "CAT", "sell", 10, 90)
    to_come = later["settlement_date"]
    said = {"version": 1, "reason": "Failed", "settlement_date": to_come}
    address = f"{office.url}/api/v1/trades/{late['id']}/"
    answer = office.session.patch(address, json=said)
    if answer.status_code == 409:
        answer = office.session.patch(address, json={**said, "confirm": answer.json()["confirm"]})
    assert answer.status_code == 200, answer.text
    page = open_as("middleoffice")
    page.watch_only(desk)
    find = page.page.get_by_test_id
    page.go("Settlement")
    expect(find("settlement-said")).to_contain_text("overdue")
    grid = find("settlement-grid")
    ko = grid.locator(f'.ag-row[row-id="{desk}|MMM|{to_come}"]')
    pep = grid.locator(f'.ag-row[row-id="{desk}|CAT|{to_come}"]')
    expect(cell(ko, "state")).to_have_text("Overdue")
    expect(cell(ko, "amount")).to_have_text("6,000.00")
    expect(cell(pep, "state")).to_have_text("Unsettled")
    expect(cell(pep, "quantity")).to_have_text("−10")
    day = find("settlement-days").locator(f'[data-day="{to_come}"]')
    expect(day).to_contain_text("overdue")
    expect(day.locator('[data-field="pay"]')).not_to_have_text("0.00")
    page.go("Positions")
    drawer = page.open_trade(later["id"])
    expect(find("drawer-settles")).to_have_text(f"Settles {to_come}, unsettled")
    drawer.get_by_role("button", name="Close").click()
    # The column is there to be chosen.
    trades = find("trades-grid")
    trades.get_by_role("button", name="Columns").click()
    page.page.get_by_role("checkbox", name="Settlement date").check()
    expect(cell(page.trade(later["id"]), "settlement_date")).to_have_text(to_come)
    page.page.keyboard.press("Escape")


def test_trades_are_tagged_and_found_by_tag(stack: RunningStack, open_as: Open) -> None:
    desk, trader = stack.desk(), stack.client("trader")
    one, other = (trader.book(desk, "KO", "buy", n, 60)["id"] for n in (10, 20))
    page = open_as("trader")
    page.watch_only(desk)
    drawer = page.open_trade(one)
    find, keys = page.page.get_by_test_id, page.page.keyboard
    find("drawer-tag").fill("block check")
    keys.press("Enter")
    expect(drawer.locator("[data-tag]")).to_have_text(["block×", "check×"])
    drawer.get_by_role("button", name="Remove the tag check").click()
    expect(drawer.locator("[data-tag]")).to_have_text(["block×"])
    find("drawer-tag").fill("not/plain")
    keys.press("Enter")
    expect(drawer.get_by_role("alert")).to_contain_text("A tag begins with a letter or digit")
    assert trader.get(f"trades/{one}/").json()["tags"] == ["block"]
    drawer.get_by_role("button", name="Close").click()
    page.page.get_by_label("Filter trades").fill("block")
    expect(page.trade(one)).to_be_visible()
    expect(page.trade(other)).to_be_hidden()
    # Who only looks sees them, and no field.
    trader.post(f"trades/{other}/tags/", add=["block"])
    expect(page.trade(other)).to_be_visible()


def test_trades_with_a_tag_are_found_over_days(stack: RunningStack, open_as: Open) -> None:
    """From the lists by asking, and from a trade by its tag; within the accounts watched."""
    desk, other, trader = stack.desk(), stack.desk(), stack.client("trader")
    before = trader.get("market/").json()["previous_session"]
    old = trader.book(desk, "KO", "buy", 30, 60, trade_date=before)["id"]
    new = trader.book(desk, "PEP", "sell", 7, 90)["id"]
    for each in (old, new, trader.book(other, "KO", "buy", 1, 60)["id"]):
        trader.post(f"trades/{each}/tags/", add=["rollover"])
    trader.book(desk, "PG", "buy", 1, 100)
    page = open_as("trader")
    page.watch_only(desk)
    find, keys = page.page.get_by_test_id, page.page.keyboard
    find("trades-tags").click()
    panel, lines = find("tagged"), find("tagged").get_by_role("listitem")
    expect(find("tagged-tag")).to_be_focused()
    keys.type("rollover")
    keys.press("Enter")
    expect(lines).to_have_count(2)
    expect(lines.nth(0)).to_contain_text(f"Sell 7 @ 90.00 PEP in {desk}")
    expect(lines.nth(1)).to_contain_text(before)
    find("tagged-to").fill(before)
    expect(lines).to_have_count(1)
    find("tagged-from").fill("2020-01-02")
    find("tagged-to").fill("2020-01-03")
    expect(panel).to_contain_text("No trade dated 2020-01-02 to 2020-01-03 has the tag.")
    panel.get_by_role("button", name="Close").click()
    # A trade's own tag leads to the others that have it, and each of them to its versions.
    drawer = page.open_trade(new)
    drawer.get_by_role("button", name="rollover", exact=True).click()
    expect(lines).to_have_count(2)
    lines.nth(1).get_by_role("button", name="Details").click()
    expect(find("trade-drawer")).to_contain_text("Buy 30 KO")
