"""A second factor and a login provider, on a stack that has both. Pictures of each page are kept,
in dark and light."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.accounts.login_provider import CLIENT, SECRET, LoginProvider
from tests.browser.blotter_page import BlotterPage
from tests.browser.conftest import picture
from tests.browser.test_accessibility import serious
from tests.stack.running import PASSWORD, RunningStack


@pytest.fixture(scope="module")
def provider() -> Iterator[LoginProvider]:
    with LoginProvider() as found:
        yield found


@pytest.fixture(scope="module")
def guarded(spare_place: Path, provider: LoginProvider) -> Iterator[RunningStack]:
    settings = {
        "SECOND_FACTOR": "staff", "OIDC_ISSUER": provider.url, "OIDC_CLIENT_ID": CLIENT,
        "OIDC_CLIENT_SECRET": SECRET, "OIDC_NAME": "the bank",
    }  # fmt: skip
    stack = RunningStack(spare_place, settings=settings)
    try:
        stack.start()
        yield stack
    finally:
        assert stack.stop() == []


@pytest.fixture
def page(chromium: Browser, guarded: RunningStack) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1000, "height": 760}, locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(60_000)
    refused: list[str] = []

    def said(message: ConsoleMessage) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            refused.append(message.text)

    page.on("console", said)
    page.goto(f"{guarded.url}/")
    yield page
    context.close()
    assert refused == []


def keep(page: Page, name: str) -> None:
    """A picture of it in both themes, of which axe-core finds nothing serious."""
    for theme in ("dark", "light"):
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        if name != "admin":
            assert serious(page) == [], f"{name}, {theme}"
        page.screenshot(path=_place(f"second factor {name} {theme}"), full_page=True)


def _place(name: str) -> Path:
    return picture(name, 0)


def send_password(page: Page, user: str) -> None:
    page.get_by_label("User name").fill(user)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()


def code_of(secret: str, steps: int = 0) -> str:
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps)))


def test_staff_set_up_a_second_factor_and_log_in_with_it(page: Page, guarded: RunningStack) -> None:
    keep(page, "login")
    send_password(page, "admin")
    expect(page).to_have_title("Your password again · eqtrade")
    keep(page, "password again")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()

    expect(page).to_have_title("Set up a second factor · eqtrade")
    expect(page.get_by_role("img")).to_be_visible()
    keep(page, "set up")
    secret = page.get_by_test_id("totp-key").inner_text()
    page.get_by_label("The six digits").fill("000000")
    page.get_by_role("button", name="Set it up").click()
    expect(page.locator(".error")).to_contain_text("Incorrect")
    keep(page, "set up wrong")
    page.get_by_label("The six digits").fill(code_of(secret))
    page.get_by_role("button", name="Set it up").click()

    expect(page).to_have_title("Recovery codes · eqtrade")
    keep(page, "recovery codes")
    codes = page.get_by_test_id("recovery-codes").inner_text().split()
    assert len(codes) == 10
    page.reload()
    expect(page.get_by_text("10 of 10 are left")).to_be_visible()
    keep(page, "recovery codes later")
    page.get_by_role("link", name="Make new ones").click()
    keep(page, "recovery codes new")

    page.get_by_role("link", name="Back").click()
    expect(page.get_by_text("10 recovery codes are left")).to_be_visible()
    keep(page, "state")

    page.goto(f"{guarded.url}/")
    BlotterPage(page).wait_live()
    page.get_by_test_id("user-menu").get_by_role("button").first.click()
    expect(page.get_by_role("link", name="Second factor")).to_be_visible()
    page.get_by_test_id("log-out").click()

    send_password(page, "admin")
    expect(page).to_have_title("Your code · eqtrade")
    keep(page, "code")
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Log in").click()
    expect(page.locator(".error")).to_contain_text("This code is wrong")
    keep(page, "code wrong")
    page.get_by_label("Code").fill(codes[0])
    page.get_by_role("button", name="Log in").click()
    BlotterPage(page).wait_live()
    page.goto(f"{guarded.url}/admin/mfa/authenticator/")
    expect(page.get_by_text("Recovery codes").first).to_be_visible()
    keep(page, "admin")


def test_the_login_provider(page: Page, guarded: RunningStack, provider: LoginProvider) -> None:
    """Over the provider and back: the page's policy lets its form lead there."""
    page.get_by_role("button", name="Log in with the bank").click()
    BlotterPage(page).wait_live()
    expect(page.get_by_test_id("user-name")).to_have_text("trader")
    page.get_by_test_id("user-menu").get_by_role("button").first.click()
    page.get_by_role("link", name="Second factor").click()
    expect(page.get_by_text("with your password alone")).to_be_visible()
    keep(page, "none")

    provider.claims = {"sub": "1", "preferred_username": "nobody"}
    page.context.clear_cookies()
    page.goto(f"{guarded.url}/login/")
    page.get_by_role("button", name="Log in with the bank").click()
    expect(page.get_by_role("alert")).to_contain_text("no user for you")
    keep(page, "no user")
