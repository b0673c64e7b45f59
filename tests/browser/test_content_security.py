"""On every page: a script that somebody got into it does not run, and the page's own all do."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route

from tests.stack.running import PASSWORD, RunningStack

WATCH = """
window.refused = [];
document.addEventListener("securitypolicyviolation",
    (event) => window.refused.push(`${event.effectiveDirective} ${event.blockedURI}`));
"""
# As text that was not escaped would be: an element, and an attribute of another one.
INJECTED = """<script>window.ran = "a script"</script>
<img src="/static/app/favicon.svg" onload="window.ran = 'an attribute'">"""
PAGES = ("", "bulk/", "prices/", "pnl/", "system/", "password/", "password/done/")
DOCS = "api/v1/docs/"
FLOWER = ("flower/", "flower/tasks", "flower/broker")
STRANGERS = ("login/", "admin/login/")
MISSING = "no/such/page/"


@pytest.fixture(scope="module")
def staff(chromium: Browser, stack: RunningStack) -> Iterator[BrowserContext]:
    context = chromium.new_context()
    context.add_init_script(WATCH)
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{stack.url}/login/?next=/password/")
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/password/")
    page.close()
    yield context
    context.close()


@pytest.fixture(scope="module")
def stranger(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context()
    context.add_init_script(WATCH)
    yield context
    context.close()


def opened(context: BrowserContext, url: str) -> Page:
    """The page after its scripts have run."""
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(url, wait_until="load")
    # What its first scripts start: the grids, the list of calls, Flower's tables.
    page.wait_for_timeout(500)
    return page


def admin_pages(context: BrowserContext, stack: RunningStack) -> list[str]:
    """Every list and form that the admin links to from its first page, and one row of each."""
    page = opened(context, f"{stack.url}/admin/")
    links = "[...document.querySelectorAll('#container a')].map((a) => a.pathname)"
    found = {"/admin/", *page.evaluate(links)}
    page.close()
    found = {path for path in found if path.startswith("/admin/") and "logout" not in path}
    for path in sorted(path for path in found if path.count("/") == 4):
        page = opened(context, f"{stack.url}{path}")
        row = (
            "[...document.querySelectorAll('#result_list th a')].slice(0, 1).map((a) => a.pathname)"
        )
        found |= set(page.evaluate(row))
        page.close()
    return sorted(found)


def addresses(staff: BrowserContext, stack: RunningStack) -> list[str]:
    known = [f"/{path}" for path in (*PAGES, DOCS, *FLOWER, MISSING)]
    return [*known, *admin_pages(staff, stack)]


def refused_of(context: BrowserContext, url: str) -> list[str]:
    page = opened(context, url)
    found: list[str] = page.evaluate("window.refused")
    page.close()
    return found


def test_no_page_is_in_its_own_way(
    staff: BrowserContext, stranger: BrowserContext, stack: RunningStack
) -> None:
    refused = {path: refused_of(staff, stack.url + path) for path in addresses(staff, stack)}
    refused |= {path: refused_of(stranger, f"{stack.url}/{path}") for path in STRANGERS}
    assert {path: found for path, found in refused.items() if found} == {}
    # The lists, forms and rows of the admin were among them.
    assert len(refused) > 40


def ran(context: BrowserContext, url: str) -> str:
    """Which of the injected scripts ran on this page, with the policy that it came with; "" if none
    did. Raises when the page refused them for another reason than its policy."""
    page = context.new_page()
    page.set_default_timeout(60_000)

    def inject(route: Route) -> None:
        answer = route.fetch()
        body = answer.text()
        assert "<body" in body, f"{url} is no page"
        before, body_tag, after = body.partition("<body")
        route.fulfill(response=answer, body=f"{before}{INJECTED}{body_tag}{after}")

    page.route(lambda to: urlsplit(to).path == urlsplit(url).path and "?" not in to, inject)
    page.goto(url, wait_until="load")
    found: str = page.evaluate("window.ran || ''")
    if not found:
        refused = page.evaluate("window.refused")
        assert {"script-src-elem inline", "script-src-attr inline"} <= set(refused), (url, refused)
    page.close()
    return found


def test_an_injected_script_runs_on_no_page(
    staff: BrowserContext, stranger: BrowserContext, stack: RunningStack
) -> None:
    found = {path: ran(staff, stack.url + path) for path in addresses(staff, stack)}
    found |= {path: ran(stranger, f"{stack.url}/{path}") for path in STRANGERS}
    assert {path: what for path, what in found.items() if what} == {}
    assert len(found) > 40


def test_a_page_stays_nowhere_and_a_file_may(staff: BrowserContext, stack: RunningStack) -> None:
    page = opened(staff, f"{stack.url}/")
    script = page.evaluate("document.querySelector('script[type=module]').src")
    page.close()
    request = staff.request
    for path in ("/", "/admin/", "/api/v1/accounts/", "/password/", "/flower/", "/metrics"):
        assert request.get(stack.url + path).headers["cache-control"] == "no-store", path
    assert "immutable" in request.get(script).headers["cache-control"]
    said = stack.client("trader").get("accounts/").headers["Cache-Control"]
    assert said == "no-store"


@pytest.mark.parametrize("method", ["OPTIONS", "POST", "DELETE"])
def test_the_docs_are_only_read(stack: RunningStack, method: str) -> None:
    answer = stack.client("trader").session.request(
        method, f"{stack.url}/{DOCS}", timeout=60, headers={"Accept": "text/html"}
    )
    assert answer.status_code == 405


@pytest.mark.parametrize("path", ["flower/", "metrics"])
def test_a_host_that_is_none_of_ours_is_refused(stack: RunningStack, path: str) -> None:
    answer = stack.client("admin").session.get(
        f"{stack.url}/{path}", headers={"Host": "evil.example.com"}, timeout=60
    )
    assert answer.status_code == 400
