"""Fees: said with a booking, corrected as any term, and told from version to version."""

from decimal import Decimal

from playwright.sync_api import expect

from tests.browser.blotter_page import cell
from tests.browser.conftest import Open
from tests.stack.running import RunningStack


def test_fees_are_booked_corrected_and_told(stack: RunningStack, open_as: Open) -> None:
    desk = stack.desk()
    page = open_as("middleoffice")
    page.watch_only(desk)
    find = page.page.get_by_test_id
    page.fill_ticket(desk, "KO", "100", "60")
    find("ticket-more").locator("summary").click()
    find("ticket-fees-commission").fill("five")
    find("ticket-order_id").fill("O-1")
    page.submit.click()
    expect(page.error("fees")).to_contain_text("Commission: an amount like")
    find("ticket-fees-commission").fill("5")
    find("ticket-fees-other").fill("-0.25")
    page.submit.click()
    expect(page.result).to_contain_text("Bought 100 KO")
    # A fee is of one trade.
    expect(find("ticket-fees-commission")).to_have_value("")
    trade = stack.client("trader").rows("trades/", account=desk)[0]
    assert {fee["kind"]: fee["amount"] for fee in trade["fees"]} == {
        "commission": "5",
        "other": "-0.25",
    }
    expect(cell(page.trade(trade["id"]), "fees")).to_have_text("4.75")
    # Beside the gross figures of the position and of the account.
    expect(cell(page.position(desk, "KO"), "fees")).to_have_text("4.75")
    page.page.get_by_role("button", name="By ticker").click()
    tree = find("ticker-totals-grid").locator(".ag-row.tree-total")
    expect(cell(tree, "fees")).to_have_text("4.75")
    page.page.get_by_role("button", name="Rows", exact=True).click()
    net = page.total(desk, "net_pnl")
    expect(net).to_be_visible()
    [row] = stack.client("trader").rows("pnl/", account=desk, by="account")
    assert Decimal(row["net_pnl"]) == Decimal(row["total_pnl"]) - Decimal("4.75")
    drawer = page.open_trade(trade["id"])
    find("drawer-amend").click()
    find("amend-fees-commission").fill("4.5")
    find("amend-fees-other").fill("")
    drawer.get_by_label("Reason").fill("The broker's note")
    drawer.get_by_role("button", name="Correct the trade").click()
    second = drawer.locator('[data-version="2"]')
    expect(second.locator('[data-fee="Commission"]')).to_have_text("5.00 → 4.50")
    expect(second.locator('[data-fee="Other"]')).to_have_text("−0.25 → none")
    expect(cell(page.trade(trade["id"]), "fees")).to_have_text("4.50")


def test_totals_by_strategy(stack: RunningStack, open_as: Open) -> None:
    """Strategies add up to the account; a position of two stands under both."""
    desk, trader = stack.desk(), stack.client("trader")
    admin = stack.client("admin")
    for code in ("PAGE-A", "PAGE-B"):
        answer = admin.post("strategies/", code=code)
        assert answer.status_code == 201, answer.text
    for strategy, side, quantity in (("PAGE-A", "buy", 300), ("PAGE-B", "sell", 100)):
        trader.book(desk, "KO", side, quantity, 60, strategy=strategy)
    trader.book(desk, "KO", "buy", 7, 60)
    page = open_as("trader")
    page.watch_only(desk)
    page.page.get_by_role("button", name="By strategy").click()
    tree = page.page.get_by_test_id("strategy-totals-grid")
    page.page.get_by_role("button", name="Open all").click()
    for strategy, held in (("PAGE-A", "300"), ("PAGE-B", "−100"), ("", "7")):
        row = tree.locator(f'.ag-row[row-id="{desk}|KO|{strategy}"]')
        expect(cell(row, "quantity")).to_have_text(held)
    # What is traded moves with no price.
    [whole] = trader.rows("pnl/", account=desk, by="account")
    shown = cell(tree.locator(".ag-row.tree-total"), "trade_pnl").inner_text()
    assert Decimal(shown.replace(",", "").replace("−", "-").strip()) == Decimal(whole["trade_pnl"])
    # A booking comes without anybody's doing.
    trader.book(desk, "KO", "buy", 1, 60, strategy="PAGE-B")
    second = tree.locator(f'.ag-row[row-id="{desk}|KO|PAGE-B"]')
    expect(cell(second, "quantity")).to_have_text("−99")


def test_the_ticket_tells_what_schedules_charge(stack: RunningStack, open_as: Open) -> None:
    desk, trader = stack.desk(), stack.client("trader")
    house = {
        "name": f"House of {desk}", "kind": "commission", "valid_from": "2024-01-01",
        "per_million": "50", "minimum": "2.00", "accounts": [desk],
    }  # fmt: skip
    answer = stack.client("admin").post("fees/schedules/", **house)
    assert answer.status_code == 201, answer.text
    page = open_as("trader")
    find = page.page.get_by_test_id
    effect = find("ticket-effect")
    page.fill_ticket(desk, "KO", "1000", "60")
    expect(effect.locator('[data-field="fees"]')).to_have_text("3.00, by schedule")
    expect(effect.locator('[data-field="net_amount"]')).to_have_text("60,003.00")
    checked = trader.post(
        "trades/check/", account=desk, ticker="KO", side="buy", quantity="1000", price="60"
    ).json()
    assert Decimal(checked["pnl_at_once"]) - Decimal(checked["net_pnl_at_once"]) == 3
    expect(effect.locator('[data-field="net_pnl_at_once"]')).to_be_visible()
    # Closed, it says so; open, each kind's field does, and what is typed there counts instead.
    more = find("ticket-more")
    expect(more.locator("summary")).to_contain_text("3.00 of fees by schedule")
    more.locator("summary").click()
    commission = find("ticket-fees-commission")
    expect(commission).to_have_attribute("placeholder", "3.00")
    expect(page.error("fees")).to_contain_text("By schedule where nothing is typed")
    commission.fill("1.5")
    expect(effect.locator('[data-field="fees"]')).to_have_text("1.50")
    page.page.get_by_test_id("ticket-side-sell").check(force=True)
    expect(effect.locator('[data-field="net_amount"]')).to_have_text("59,998.50")
    page.page.get_by_test_id("ticket-side-buy").check(force=True)
    commission.fill("")
    page.submit.click()
    expect(page.result).to_contain_text("Bought 1,000 KO")
    [trade] = trader.rows("trades/", account=desk)
    assert [(fee["kind"], Decimal(fee["amount"])) for fee in trade["fees"]] == [("commission", 3)]


def test_codes_are_suggested_where_one_is_typed(stack: RunningStack, open_as: Open) -> None:
    desk, admin = stack.desk(), stack.client("admin")
    for kind, code, name in (
        ("strategies/", "HINT-S", "Suggested"),
        ("counterparties/", "HINT-C", "Broker"),
    ):
        answer = admin.post(kind, code=code, name=name)
        assert answer.status_code == 201, answer.text
    trade = stack.client("trader").book(desk, "KO", "buy", 10, 60)["id"]
    page = open_as("trader")
    page.watch_only(desk)
    find = page.page.get_by_test_id
    find("ticket-more").locator("summary").click()
    find("ticket-strategy").focus()
    option = page.page.locator("#ticket-strategy-list option[value=HINT-S]")
    expect(option).to_have_text("Suggested")
    expect(find("ticket-strategy")).to_have_attribute("list", "ticket-strategy-list")
    page.open_trade(trade)
    find("drawer-amend").click()
    find("amend-counterparty").focus()
    expect(page.page.locator("#amend-counterparty-list option[value=HINT-C]")).to_be_attached()
