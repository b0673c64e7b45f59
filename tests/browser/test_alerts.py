"""Alerts by user: set where the figure stands, told on every page, and how the browser tells."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.blotter_page import BlotterPage
from tests.browser.conftest import Open
from tests.stack.running import RunningStack

NOTES = """
    window.told = []; window.asked = 0; window.answer = "granted";
    window.Notification = class {
        static permission = sessionStorage.getItem("answered") ?? "default";
        static requestPermission() {
            window.asked += 1;
            Notification.permission = window.answer;
            sessionStorage.setItem("answered", window.answer);
            return Promise.resolve(window.answer);
        }
        constructor(title, {body, tag}) { window.told.push([title, body, tag]); }
        close() {}
    };
    document.hasFocus = () => false;
    window.tones = 0;
    const begin = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (...at) {
        window.tones += 1;
        return begin.apply(this, at);
    };
"""
"""The browser's part is played: headless, it asks nobody and shows nothing."""


@pytest.fixture(autouse=True)
def none_left(stack: RunningStack) -> Iterator[None]:
    yield
    for user in ("trader", "middleoffice"):
        client = stack.client(user)
        for alert in client.rows("alerts/"):
            client.session.delete(f"{client.url}/api/v1/alerts/{alert['id']}/", timeout=60)


def toast(page: Page) -> Any:
    return page.get_by_test_id("alert-toast")


def test_from_a_row_to_the_toast_and_back(stack: RunningStack, open_as: Open) -> None:
    """By the keyboard: it is set where the position stands, told as a booking crosses it, on all of
    the user's pages, and seen on all of them."""
    desk, trader = stack.desk(), stack.client("trader")
    trader.book(desk, "KO", "buy", 100, 60)
    page, another, other = open_as("trader"), open_as("trader"), open_as("middleoffice")
    page.watch_only(desk)
    page.position(desk, "KO").first.click()
    page.page.keyboard.press("a")
    dialog = page.page.get_by_test_id("alert-dialog")
    expect(dialog.get_by_test_id("alert-kind")).to_have_value("position")
    expect(dialog.get_by_test_id("alert-account")).to_have_value(desk)
    expect(dialog.get_by_test_id("alert-ticker")).to_have_value("KO")
    level = dialog.get_by_test_id("alert-level")
    expect(level).to_be_focused()
    page.page.keyboard.type("plenty")
    page.page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("plain decimal number")
    level.fill("1,150")
    page.page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(page.page).to_have_title("Positions · eqtrade")
    another.go("Prices")

    trader.book(desk, "KO", "buy", "1050.5", 60)
    said = f"{desk} holds 1,150.5 KO, above 1,150"
    for each in (page.page, another.page):
        expect(toast(each)).to_contain_text(said)
        expect(each.get_by_test_id("alert-count")).to_have_text("1")
    expect(page.page).to_have_title("(1) Positions · eqtrade")
    expect(another.page).to_have_title("(1) Prices · eqtrade")
    assert toast(other.page).filter(has_text=desk).count() == 0

    # Put aside it stays in the bell; who comes later is told of what is not seen.
    toast(page.page).get_by_role("button", name="Put it aside").click()
    expect(toast(page.page)).to_have_count(0)
    # At once: nothing has to bring it back.
    assert page.page.get_by_test_id("alert-count").all_text_contents() == ["1"]
    page.page.reload()
    expect(toast(page.page)).to_contain_text(said)
    expect(toast(page.page)).to_have_count(1)

    # From the page of prices the link leads to the row, and that it is seen is told everywhere.
    toast(another.page).get_by_role("link", name="Show").click()
    expect(another.page).to_have_title("Positions · eqtrade")
    expect(another.position(desk, "KO").first).to_have_attribute("aria-selected", "true")
    for each in (page.page, another.page):
        expect(toast(each)).to_have_count(0)
        expect(each.get_by_test_id("alert-count")).to_have_count(0)


def test_a_link_leads_to_a_row_that_is_not_there_yet(stack: RunningStack, open_as: Open) -> None:
    """Its account is watched for it, and the row is chosen as soon as it comes."""
    desk, watched, trader = stack.desk(), stack.desk(), stack.client("trader")
    for each in (desk, watched):
        trader.book(each, "KO", "buy", 100, 60)
    of = {"kind": "position", "account": desk, "ticker": "KO", "way": "above"}
    assert trader.post("alerts/", **of, level="150").status_code == 201
    page = open_as("trader")
    page.watch_only(watched)
    expect(page.position(watched, "KO").first).to_be_visible()
    trader.book(desk, "KO", "buy", 100, 60)
    toast(page.page).get_by_role("link", name="Show").click()
    expect(page.position(desk, "KO").first).to_have_attribute("aria-selected", "true")
    expect(page.page.get_by_test_id("trades-only")).to_contain_text(f"KO in {desk}")


def test_trades_of_others_lead_to_the_trade(stack: RunningStack, open_as: Open) -> None:
    desk = stack.desk()
    page = open_as("trader")
    page.watch_only(desk)
    bell = page.page.get_by_test_id("alert-bell")
    bell.get_by_role("button", name="Alerts").click()
    bell.get_by_role("button", name="Alert me…").click()
    dialog = page.page.get_by_test_id("alert-dialog")
    dialog.get_by_test_id("alert-kind").select_option(label="Trades of others")
    dialog.get_by_test_id("alert-account").select_option(desk)
    dialog.get_by_test_id("alert-save").click()
    expect(dialog).to_have_count(0)
    stack.client("trader").book(desk, "KO", "buy", 5, 60)
    trade = stack.client("middleoffice").book(desk, "PEP", "buy", 7, 90)
    expect(toast(page.page)).to_contain_text(f"{desk}: middleoffice booked buy 7 PEP @ 90")
    expect(toast(page.page)).to_have_count(1)
    toast(page.page).get_by_role("link", name="Show").click()
    drawer = page.page.get_by_test_id("trade-drawer")
    expect(drawer).to_contain_text(trade["id"][-8:])


def test_a_price_and_what_is_kept_of_alerts(stack: RunningStack, open_as: Open) -> None:
    """Set beside the price; listed, changed, told, and deleted on the page of alerts."""
    desk = stack.desk()
    override = stack.client("admin").override("PEP", "90")
    page = open_as("trader")
    page.go("Prices")
    grid = page.page.get_by_test_id("prices-grid")
    grid.get_by_label("Filter prices").fill("PEP")
    grid.locator('.ag-row[row-id="PEP"]').first.click()
    page.page.get_by_test_id("price-detail").get_by_role("button", name="Alert me…").click()
    dialog = page.page.get_by_test_id("alert-dialog")
    expect(dialog.get_by_test_id("alert-level")).to_have_value("90")
    dialog.get_by_test_id("alert-level").fill("99")
    dialog.get_by_test_id("alert-save").click()
    expect(dialog).to_have_count(0)
    page.page.get_by_test_id("user-menu").get_by_role("button").first.click()
    page.page.get_by_role("link", name="Alerts", exact=True).click()
    alert = page.page.get_by_test_id("alert")
    expect(alert).to_contain_text("PricePEPabove 99armednever")
    alert.get_by_role("button", name="Change Price of PEP").click()
    expect(dialog.get_by_test_id("alert-ticker")).to_be_disabled()
    dialog.get_by_test_id("alert-level").fill("95")
    dialog.get_by_label("Once only").check()
    dialog.get_by_test_id("alert-save").click()
    expect(alert).to_contain_text("above 95, once")
    stack.client("admin").end_override(override)
    override = stack.client("admin").override("PEP", "95.5")
    try:
        # What is booked has alerts judged at once.
        stack.client("trader").book(desk, "PEP", "buy", 1, 95)
        expect(toast(page.page)).to_contain_text("PEP is at 95.5, above 95")
        expect(alert).to_contain_text("off")
        fired = page.page.get_by_test_id("fired")
        expect(fired).to_contain_text("PEP is at 95.5, above 95")
        fired.get_by_role("button", name="Seen").click()
        expect(toast(page.page)).to_have_count(0)
        expect(fired.get_by_role("button", name="Seen")).to_have_count(0)
        alert.get_by_role("button", name="Delete Price of PEP").click()
        alert.get_by_role("button", name="Delete it").click()
        expect(alert).to_have_count(0)
    finally:
        stack.client("admin").end_override(override)


def settings(page: BlotterPage) -> Any:
    page.page.get_by_test_id("user-menu").get_by_role("button").first.click()
    page.page.get_by_role("link", name="Alerts", exact=True).click()
    return page.page.get_by_test_id("alert-settings")


def test_sound_and_notifications_once_they_are_chosen(stack: RunningStack, open_as: Open) -> None:
    desk, trader = stack.desk(), stack.client("trader")
    page = open_as("trader")
    page.page.add_init_script(NOTES)
    page.page.reload()
    page.wait_live()
    how = settings(page)
    # Nothing is asked, and nothing sounds, before it is chosen.
    assert page.page.evaluate("[window.asked, window.tones]") == [0, 0]
    for box in how.get_by_role("checkbox").all():
        expect(box).not_to_be_checked()
    how.get_by_label("A notification of the browser").check()
    how.get_by_label("A short sound").check()
    assert page.page.evaluate("[window.asked, window.tones]") == [1, 2]
    body = {"kind": "others_trades", "account": desk}
    assert trader.post("alerts/", **body).status_code == 201
    stack.client("middleoffice").book(desk, "KO", "buy", 3, 60)
    expect(toast(page.page)).to_have_count(1)
    page.page.wait_for_function("window.told.length === 1 && window.tones === 4")
    ((title, text, _),) = page.page.evaluate("window.told")
    assert (title, text) == ("eqtrade", f"{desk}: middleoffice booked buy 3 KO @ 60")
    # What is chosen stays so; it is not asked again.
    page.page.reload()
    for box in how.get_by_role("checkbox").all():
        expect(box).to_be_checked()
    assert page.page.evaluate("window.asked") == 0
    how.get_by_label("A notification of the browser").uncheck()
    expect(how.get_by_label("A notification of the browser")).not_to_be_checked()


def test_a_browser_that_refuses_is_told_of(open_as: Open) -> None:
    page = open_as("trader")
    page.page.add_init_script(NOTES)
    page.page.reload()
    page.wait_live()
    page.page.evaluate("window.answer = 'denied'")
    how = settings(page)
    box = how.get_by_label("A notification of the browser")
    box.click()
    expect(page.page.get_by_test_id("alert-permission")).to_contain_text("The browser refuses")
    expect(box).not_to_be_checked()
    expect(box).to_be_disabled()
