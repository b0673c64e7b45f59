"""The first page that a browser opens, as it comes over the network."""

from playwright.sync_api import Browser, expect

from benchmarks.page import Load
from tests.browser.blotter_page import BlotterPage
from tests.stack.running import PASSWORD, RunningStack

MOST = 500 * 1024
"""Bytes, compressed: the page, its scripts, styles and font, and what it loads right after."""


def test_the_first_load_is_below_its_bound(stack: RunningStack, chromium: Browser) -> None:
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(f"{stack.url}/login/?next=/password/")
    page.get_by_label("User name").fill("trader")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("Change password").first).to_be_visible()
    load = Load()
    load.follow(context.new_cdp_session(page))
    page.goto(f"{stack.url}/")
    BlotterPage(page).wait_live()
    expect(page.get_by_test_id("pnl-chart")).to_be_visible()
    page.wait_for_load_state("networkidle")
    kinds = ("Document", "Script", "Stylesheet", "Font")
    assert 0 < sum(load.bytes_by_kind.get(kind, 0) for kind in kinds) <= MOST
    context.close()
