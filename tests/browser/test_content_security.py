"""On every page: a script that somebody got into it does not run, and the page's own all do."""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
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
AT_A_TIME = 8


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


def admin_pages(context: BrowserContext, stack: RunningStack) -> set[str]:
    """Every list and form that the admin links to from its first page, and one row of each."""

    def links(path: str, pattern: str) -> list[str]:
        return re.findall(f'href="({pattern})', context.request.get(stack.url + path).text())

    found = {"/admin/", *links("/admin/", "/admin/[a-z_]+/[a-z_]+/(?:add/)?")}
    rows = {path: links(path, f'{path}[^/"]+/change/') for path in sorted(found)}
    return found | {row for some in rows.values() for row in some[:1]}


def opened(context: BrowserContext, url: str) -> Page:
    """This page with the scripts injected, as its document has them."""
    page = context.new_page()
    page.set_default_timeout(60_000)

    def inject(route: Route) -> None:
        answer = route.fetch()
        before, body, after = answer.text().partition("<body")
        assert body, f"{url} is no page"
        route.fulfill(response=answer, body=f"{before}{INJECTED}{body}{after}")

    page.route(lambda to: urlsplit(to).path == urlsplit(url).path and "?" not in to, inject)
    page.goto(url, wait_until="load")
    return page


def refused(context: BrowserContext, urls: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """Which of the injected scripts ran on each of these pages, with the policy that it came with
    ("" if none did), and what the policy refused. Several are open at a time."""
    for some in batched(urls, AT_A_TIME):
        pages = [opened(context, url) for url in some]
        # What the first scripts of the last one start: the grids, the list of calls, Flower's
        # tables. The others had longer.
        pages[-1].wait_for_timeout(300)
        for page in pages:
            ran, found = page.evaluate("[window.ran || '', window.refused]")
            page.close()
            yield ran, sorted(found)


def batched(urls: Iterable[str], size: int) -> Iterator[list[str]]:
    left = iter(urls)
    while some := list(islice(left, size)):
        yield some


def test_on_every_page_the_injected_scripts_alone_do_not_run(
    staff: BrowserContext, stranger: BrowserContext, stack: RunningStack
) -> None:
    """One refusal too many would be of a script, a style or a picture of the page's own."""
    known = {f"/{path}" for path in (*PAGES, DOCS, *FLOWER, MISSING)}
    paths = sorted(known | admin_pages(staff, stack))
    seen = refused(staff, [stack.url + path for path in paths])
    found = dict(zip(paths, seen, strict=True))
    seen = refused(stranger, [f"{stack.url}/{path}" for path in STRANGERS])
    found |= zip((f"{path} as nobody" for path in STRANGERS), seen, strict=True)
    only = ("", ["script-src-attr inline", "script-src-elem inline"])
    assert {path: seen for path, seen in found.items() if seen != only} == {}
    # The lists, forms and rows of the admin were among them.
    assert len(found) > 40


def test_a_page_stays_nowhere_and_a_file_may(staff: BrowserContext, stack: RunningStack) -> None:
    request = staff.request
    script = re.search(r'src="(/static/app/assets/[^"]+)"', request.get(f"{stack.url}/").text())
    assert script is not None
    for path in ("/", "/admin/", "/api/v1/accounts/", "/password/", "/flower/", "/metrics"):
        assert request.get(stack.url + path).headers["cache-control"] == "no-store", path
    assert "immutable" in request.get(stack.url + script[1]).headers["cache-control"]
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
