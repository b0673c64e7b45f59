"""The page of one's own tokens."""

import requests
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.stack.eventually import eventually
from tests.stack.running import PASSWORD, RunningStack


def status(stack: RunningStack, key: str) -> int:
    headers = {"Authorization": f"Token {key}"}
    return requests.get(f"{stack.url}/api/v1/accounts/", headers=headers, timeout=60).status_code


def test_a_token_is_made_shown_once_and_ended(stack: RunningStack, open_as: Open) -> None:
    page = open_as("ops").page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_test_id("user-menu").get_by_role("button").first.click()
    page.get_by_role("link", name="Tokens").click()
    expect(page).to_have_title("Tokens · eqtrade")

    page.get_by_label("What it is for").fill("the nightly report")
    page.get_by_label("It may").select_option("read only")
    page.get_by_label("It ends after").select_option("30 days")
    page.get_by_label("Your password").fill("not it")
    page.get_by_role("button", name="Make it").click()
    expect(page.locator(".error")).to_contain_text("not your password")

    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Make it").click()
    key = page.get_by_test_id("new-key").inner_text()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == key
    assert status(stack, key) == 200

    row = page.get_by_test_id("token").filter(has_text="the nightly report")
    expect(row).to_contain_text("read")
    page.goto(f"{stack.url}/tokens/")
    expect(row).to_have_count(1)
    assert key not in page.content()

    def is_used() -> None:
        page.reload()
        assert "never" not in row.inner_text()

    eventually(is_used)
    row.get_by_role("button", name="End the nightly report").click()
    expect(row).to_have_count(0)
    assert status(stack, key) == 401
    page.goto(stack.url)


def test_the_page_of_a_new_token(stack: RunningStack, open_as: Open) -> None:
    """Its picture is what this is for."""
    page = open_as("ops").page
    page.goto(f"{stack.url}/tokens/")
    for name in ("a spreadsheet", "an order router with quite a long name"):
        page.get_by_label("What it is for").fill(name)
        page.get_by_label("Your password").fill(PASSWORD)
        page.get_by_role("button", name="Make it").click()
        expect(page.get_by_role("status")).to_contain_text("shown this once")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
