"""A desk's first day: people who have never seen the page do what they came for, by hand.

Each press of a key and each click is counted by the browser itself, from the login on, and kept
with what it was for: `test-artifacts/new-users.md`, and `.json` for programs. A click is a press of
the mouse; a chord such as Ctrl and Enter is one key. The characters of a trade's terms, and of a
reason, are counted apart: every system needs them.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.blotter_page import TIMEOUT, BlotterPage, cell
from tests.browser.conftest import PICTURES
from tests.stack.eventually import eventually
from tests.stack.running import PASSWORD, RunningStack

NEW_USER = """
from django.contrib.auth.models import Group, User
from accounts.models import Account, Entitlement
user = User.objects.create(
    username="{name}", password=User.objects.get(username="trader").password,
    is_staff={group!r} is not None,
)
if {group!r} is not None:
    user.groups.add(Group.objects.get(name={group!r}))
Entitlement.objects.create(
    user=user, account=Account.objects.get(code="{account}"),
    can_book={group!r} != "Operations", can_correct={group!r} == "Middle office",
)
"""
RAN_YESTERDAY = """
from kernel import clock
from positions.snapshots.take import _begin_run, snapshots_work
from prices.sessions import sessions
now = clock.now()
known = sessions()
_begin_run(known, known.previous_session(known.business_date(now)))
snapshots_work(now=now)
"""
"""As if the system had been there at the end of the session before: its snapshot was taken."""
COUNTED = """
    const note = (kind) => window.top.counted(kind);
    addEventListener("pointerdown", (event) => { if (event.isTrusted) note("clicks"); }, true);
    addEventListener("keydown", ({ isTrusted, repeat, key }) => {
        const isHeld = ["Alt", "Control", "Meta", "Shift"].includes(key);
        if (isTrusted && !repeat && !isHeld) note("keys");
    }, true);
"""
OVERLAPPING = """
() => {
  const parts = [...document.querySelectorAll(".frame > header > *, .frame > header .banner")]
    .filter((each) => !each.classList.contains("banner-place") && each.offsetWidth > 0)
    .map((each) => [each, each.getBoundingClientRect()])
    .sort(([, a], [, b]) => a.left - b.left);
  return parts.slice(1).flatMap(([each, { left }], n) =>
    left < parts[n][1].right - 0.5 ? [`${parts[n][0].textContent} | ${each.textContent}`] : []);
}
"""
"""Parts of the page's header that lie over one another."""
BEHIND_IT = "go on to the trades behind the difference"
BEFORE = {
    "find today's P&L": "0 clicks",
    "book by keyboard": "10 keys",
    "find and undo a mistake": "3 clicks",
    "explain yesterday's difference": "impossible",
    BEHIND_IT: "impossible",
}
"""What the page took before its second edition."""


@dataclass
class Task:
    """What one person did for one end."""

    who: str
    what: str
    clicks: int = 0
    keys: int = 0
    characters: int = 0
    steps: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def trace() -> Iterator[list[Task]]:
    """All that was done, written down at the end."""
    tasks: list[Task] = []
    yield tasks
    PICTURES.mkdir(exist_ok=True)
    (PICTURES / "new-users.json").write_text(json.dumps([asdict(task) for task in tasks], indent=1))
    (PICTURES / "new-users.md").write_text(written(tasks))


def written(tasks: list[Task]) -> str:
    lines = [
        "| who | what | clicks | keys | characters of terms | before |",
        "|---|---|---|---|---|---|",
        *(
            f"| {t.who} | {t.what} | {t.clicks} | {t.keys} | {t.characters} |"
            f" {BEFORE.get(t.what, '')} |"
            for t in tasks
        ),
    ]
    for task in tasks:
        lines += ["", f"{task.who}, {task.what}:", *(f"- {step}" for step in task.steps)]
    return "\n".join(lines) + "\n"


class Person:
    """Somebody at the page, whose every press is written down."""

    def __init__(self, page: Page, who: str, trace: list[Task]) -> None:
        self.page, self.blotter, self.who = page, BlotterPage(page), who
        self._trace = trace
        self._counted = {"clicks": 0, "keys": 0}
        page.context.expose_binding("counted", self._count)
        page.context.add_init_script(COUNTED)

    def _count(self, _source: Any, kind: str) -> None:
        self._counted[kind] += 1

    @contextmanager
    def task(self, what: str) -> Iterator[Task]:
        """A task; the browser must have seen what is written of it, and nothing more."""
        self._now = Task(self.who, what)
        self._counted.update(clicks=0, keys=0)
        yield self._now
        self._trace.append(self._now)
        self.page.evaluate("0")
        assert self._counted == {
            "clicks": self._now.clicks,
            "keys": self._now.keys + self._now.characters,
        }

    def click(self, on: Locator) -> None:
        name = on.get_attribute("aria-label") or on.inner_text()
        on.click()
        self._now.clicks += 1
        self._now.steps.append(f"click: {' '.join(name.split())}")

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)
        self._now.keys += 1
        self._now.steps.append(f"key: {key}")

    def type(self, text: str, what: str) -> None:
        """The characters of a term, or of a reason."""
        self.page.keyboard.type(text)
        self._now.characters += len(text)
        self._now.steps.append(f"type {what}: {text}")

    def reads(self, what: str) -> None:
        self._now.steps.append(f"read: {what}")


@pytest.fixture
def new_person(
    chromium: Browser, stack: RunningStack, trace: list[Task], request: pytest.FixtureRequest
) -> Iterator[Any]:
    """Of this role, entitled to one account; logged in by a browser that nobody has used."""
    pages: list[Page] = []

    def come(role: str, account: str, group: str | None = None) -> Person:
        name = f"new-{role.replace(' ', '-')}"
        stack.shell(NEW_USER.format(name=name, group=group, account=account))
        context = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
        page = context.new_page()
        page.set_default_timeout(TIMEOUT)
        pages.append(page)
        person = Person(page, role, trace)
        page.goto(f"{stack.url}/")
        page.get_by_label("User name").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(f"{stack.url}/")
        person.blotter.wait_live()
        assert page.evaluate(OVERLAPPING) == []
        return person

    yield come
    for number, page in enumerate(pages):
        page.screenshot(path=PICTURES / f"{request.node.name}{number or ''}.png")
        page.context.close()


def find_todays_pnl(person: Person, account: str, expected: str) -> None:
    with person.task("find today's P&L") as task:
        total = person.blotter.total(account, "total_pnl")
        expect(total).to_have_text(expected)
        expect(total).to_be_in_viewport()
        expect(total.locator("xpath=preceding-sibling::dt")).to_have_text("Total P&L")
        person.reads(f"Total P&L {expected}")
    assert (task.clicks, task.keys, task.characters) == (0, 0, 0)


def explain_yesterday(person: Person, stack: RunningStack, account: str, ticker: str) -> None:
    """From the first page to who changed yesterday's figure, when, why, and by how much; and on to
    the trades that made it."""
    market = stack.client("admin").get("market/").json()
    yesterday = market["previous_session"]
    find = person.page.get_by_test_id

    def effect() -> str:
        answer = stack.client("admin").get(
            "positions/snapshots/differences/", account=account, session=yesterday
        )
        [row] = answer.json()["results"]
        assert row["pnl_effect"] is not None
        return str(row["pnl_effect"])

    expected = Decimal(eventually(effect))
    with person.task("explain yesterday's difference") as task:
        person.press("Alt+4")
        days = find("pnl-days-grid").locator(f'.ag-row[row-id="{yesterday}"]')
        person.click(cell(days, "session"))
        said = find("differences")
        row = said.locator("tbody tr", has_text=ticker)
        expect(row.locator("td").first).to_have_text(account)
        figures = row.locator(".figure")
        expect(figures.nth(0)).to_have_text("0")
        expect(figures.nth(1)).to_have_text("1,000")
        shown = figures.nth(2).inner_text().replace(",", "").replace("−", "-")
        assert Decimal(shown) == round(expected, 2)
        expect(said).to_contain_text("booked v1 by middleoffice")
        expect(said).to_contain_text("amended v2 by admin")
        expect(said).to_contain_text("“A zero was missing”")
        person.reads(f"{ticker}: 0 at the end, 1,000 now, P&L {shown}, by whom, when and why")
    assert task.clicks <= 1
    assert task.keys <= 1
    with person.task(BEHIND_IT) as task:
        person.click(said.get_by_role("button", name="What made it"))
        person.click(find("contributors").get_by_role("button", name=ticker, exact=True))
        behind = find("behind")
        expect(behind).to_contain_text(f"Dated {yesterday} to {yesterday}.")
        expect(behind).to_contain_text("Buy 1,000")
        person.reads("the trade that made it")
    assert task.clicks <= 2
    assert task.keys == 0


def late_and_corrected(stack: RunningStack, account: str, ticker: str) -> None:
    """A trade of yesterday that was told today, with too few shares, and corrected."""
    stack.shell(RAN_YESTERDAY)
    office = stack.client("middleoffice")
    yesterday = office.get("market/").json()["previous_session"]
    trade = office.book(account, ticker, "buy", "100", "50", trade_date=yesterday)
    answer = stack.client("admin").session.patch(
        f"{office.url}/api/v1/trades/{trade['id']}/",
        json={"version": 1, "quantity": "1000", "reason": "A zero was missing"},
    )
    assert answer.status_code == 200, answer.text


def test_a_trader(stack: RunningStack, new_person: Any) -> None:
    desk, admin = stack.desk(), stack.client("admin")
    override = admin.override("AMGN", "101")
    stack.client("trader").book(desk, "AMGN", "buy", "100", "100")
    trader = new_person("trader", desk)
    find = trader.page.get_by_test_id
    find_todays_pnl(trader, desk, "+100.00")

    with trader.task("book by keyboard") as task:
        trader.press("s")
        trader.type("amgn", "ticker")
        trader.press("Enter")
        trader.type("40", "quantity")
        trader.press("Enter")
        expect(trader.blotter.result).to_contain_text("Sold 40 AMGN @ 101.00")
        expect(cell(trader.blotter.position(desk, "AMGN"), "quantity")).to_have_text("60")
        trader.reads("Sold 40 AMGN @ 101.00")
    assert task.clicks == 0
    assert task.keys + task.characters <= 10

    with trader.task("find and undo a mistake") as task:
        wrong = trader.blotter.trades().first
        expect(wrong).to_contain_text("AMGN")
        trader.click(wrong.get_by_role("button", name="Details"))
        trader.click(find("drawer-cancel"))
        trader.type("Meant to buy", "reason")
        trader.press("Control+Enter")
        expect(find("drawer-status")).to_contain_text("Cancelled")
        expect(cell(trader.blotter.position(desk, "AMGN"), "quantity")).to_have_text("100")
        trader.reads("Cancelled v2; 100 AMGN again")
    assert task.clicks <= 3
    assert task.keys <= 1
    late_and_corrected(stack, desk, "ADBE")
    explain_yesterday(trader, stack, desk, "ADBE")
    admin.end_override(override)


def test_middle_office(stack: RunningStack, new_person: Any) -> None:
    desk, admin = stack.desk(), stack.client("admin")
    override = admin.override("GILD", "90")
    stack.client("trader").book(desk, "GILD", "buy", "100", "89")
    office = new_person("middle office", desk, "Middle office")
    find = office.page.get_by_test_id
    find_todays_pnl(office, desk, "+100.00")
    with office.task("book by keyboard") as task:
        office.press("b")
        office.type("gild", "ticker")
        office.press("Enter")
        office.type("10", "quantity")
        office.press("Enter")
        expect(office.blotter.result).to_contain_text("Bought 10 GILD @ 90.00")
    assert task.clicks == 0
    assert task.keys + task.characters <= 10

    # A price without its comma: the page finds it by itself.
    stack.client("trader").book(desk, "GILD", "buy", "10", "9000")
    with office.task("find and undo a mistake") as task:
        office.click(office.page.get_by_role("link", name="Exceptions"))
        row = find("exceptions-off_market").locator("tbody tr", has_text=desk)
        expect(row).to_contain_text("9,000")
        office.click(row.get_by_role("button", name="Details"))
        expect(find("trade-drawer")).to_contain_text("Buy 10 GILD @ 9,000.00")
        office.click(find("drawer-cancel"))
        office.type("Price typed without its point", "reason")
        office.press("Control+Enter")
        expect(find("drawer-status")).to_contain_text("Cancelled")
        office.reads("Cancelled v2")
    assert stack.client("trader").quantities(desk) == {"GILD": Decimal(110)}
    assert task.clicks <= 3
    assert task.keys <= 1
    late_and_corrected(stack, desk, "ADBE")
    explain_yesterday(office, stack, desk, "ADBE")
    admin.end_override(override)


def test_operations(stack: RunningStack, new_person: Any) -> None:
    """They look, and change nothing."""
    desk, admin = stack.desk(), stack.client("admin")
    override = admin.override("TXN", "151")
    stack.client("trader").book(desk, "TXN", "buy", "100", "150")
    operations = new_person("operations", desk, "Operations")
    find_todays_pnl(operations, desk, "+100.00")
    expect(operations.page.get_by_text("You may view, but not book.")).to_be_visible()
    with operations.task("see that all is applied") as task:
        operations.click(operations.page.get_by_role("link", name="System"))
        expect(operations.page.get_by_test_id("lag")).to_be_visible()
        operations.reads("no reader is behind")
    assert task.clicks == 1
    late_and_corrected(stack, desk, "ADBE")
    explain_yesterday(operations, stack, desk, "ADBE")
    admin.end_override(override)
