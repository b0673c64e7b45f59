"""Middle office corrects a trade in the admin, in a real browser on the running stack."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PICTURES
from tests.stack.eventually import eventually
from tests.stack.running import PASSWORD, RunningStack


@pytest.fixture
def admin(chromium: Browser, stack: RunningStack) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1400, "height": 1000}, locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(60_000)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(f"{stack.url}/admin/trades/trade/")
    page.get_by_label("Username").fill("middleoffice")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    yield page
    context.close()
    assert problems == []


def may_correct(stack: RunningStack, desk: str) -> None:
    stack.shell(
        "from accounts.models import Entitlement; Entitlement.objects.filter(user__username="
        f"'middleoffice', account__code='{desk}').update(can_correct=True)",
    )


@pytest.mark.parametrize("width", [1440, 1920])
def test_no_column_of_the_trades_is_cut(admin: Page, stack: RunningStack, width: int) -> None:
    """With a long client id, and a version that makes the status long."""
    desk, trader = stack.desk(), stack.client("trader")
    trade = trader.book(
        desk, "IBM", "buy", "123456789.25", "12345.6789", client_trade_id="oms-2026-11-27-000123"
    )
    done = trader.post(f"trades/{trade['id']}/cancel/", version=1, reason="Never happened")
    assert done.status_code == 200
    admin.set_viewport_size({"width": width, "height": 900})
    admin.goto(f"{stack.url}/admin/trades/trade/?q={desk}")
    expect(admin.locator("#result_list tbody tr")).to_have_count(1)
    box = admin.locator("#changelist .results")
    assert box.evaluate("(box) => box.scrollWidth - box.clientWidth") <= 0
    assert admin.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_a_correction_and_a_cancelled_selection_reach_positions(
    admin: Page, stack: RunningStack
) -> None:
    desk, trader = stack.desk(), stack.client("trader")
    may_correct(stack, desk)
    trades = [trader.book(desk, "IBM", "buy", quantity, "143.5") for quantity in (10, 20, 30)]

    admin.locator("#searchbar").fill(f"{desk} IBM")
    admin.get_by_role("button", name="Search").click()
    rows = admin.locator("#result_list tbody tr")
    expect(rows).to_have_count(3)
    rows.nth(2).get_by_role("link").first.click()
    form = admin.locator("form", has=admin.get_by_role("button", name="Amend"))
    form.get_by_label("Quantity").fill("1,000")
    form.get_by_label("Reason").fill("Zeros were missing")
    form.get_by_role("button", name="Amend").click()
    expect(admin.locator(".errorlist").first).to_contain_text("without thousands separators")
    form.get_by_label("Quantity").fill("1000")
    form.get_by_role("button", name="Amend").click()
    expect(admin.locator(".messagelist")).to_contain_text("version 2")
    expect(admin.locator("table.versions td.changed")).to_have_text("1000")
    PICTURES.mkdir(exist_ok=True)
    admin.screenshot(path=PICTURES / "admin-correction.png", full_page=True)

    admin.goto(f"{stack.url}/admin/trades/trade/?q={desk}")
    for row in (0, 1):
        rows.nth(row).get_by_role("checkbox").check()
    admin.locator("select[name=action]").select_option("cancel_selected")
    admin.locator("button[name=index]").click()
    admin.get_by_label("Reason").fill("Never happened")
    admin.get_by_role("button", name="Cancel these 2 trades for good").click()
    expect(admin.locator("#content h1")).to_have_text("2 of 2 trades are cancelled")
    PICTURES.mkdir(exist_ok=True)
    admin.screenshot(path=PICTURES / "admin-cancelled.png", full_page=True)

    def followed() -> None:
        assert trader.quantities(desk) == {"IBM": Decimal(1000)}

    eventually(followed)
    with admin.expect_download() as download:
        admin.goto(f"{stack.url}/admin/trades/trade/?q={desk}&status=live")
        admin.get_by_role("link", name="Export to CSV").click()
    text = download.value.path().read_text(encoding="utf-8-sig")
    assert [line.split(",")[0] for line in text.splitlines()] == ["id", trades[0]["id"]]
