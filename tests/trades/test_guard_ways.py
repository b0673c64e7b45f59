"""The same terms by every way a trade comes in, and by several at once: the same codes, and no way
around a refusal."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import Entitlement
from kernel.errors import ConfirmationRequired
from tests import factories as make
from tests.at_once import at_once
from tests.trades.conftest import NOW, TODAY, Desk, make_desk
from tests.trades.guarding import BULK, TRADES, amend, book, booking, guard, said
from tests.trades.importing import imported, lines, read, reasons, work
from trades.guard_rules import CODES, Compared, Order, Rule, asked_only, judged, refusals
from trades.models import AskedVersion, HeldRow, Trade
from trades.services.booking import trade_book
from trades.terms import Booking


@pytest.fixture
def desk(committed_db: None, noon: datetime) -> Desk:
    found = make_desk()
    make.make_close(found.ibm, date(2026, 3, 17), "195.61")
    make.make_quote(found.ibm, "192.81", NOW)
    return found


HEADER = "ticker,account,side,quantity,price"
ODD = "IBM,Test1,buy,5000,198.6"
WRONG = "IBM,Test1,buy,10,1928.1"


@pytest.fixture
def guards(desk: Desk) -> None:
    guard("off_mark", warn="3", refuse="50")
    guard("large_quantity", warn="1000")


CODES_OF_ODD = ["off_mark", "large_quantity"]


def test_the_same_codes_by_every_way(desk: Desk, guards: None) -> None:
    odd: dict[str, Any] = {"price": "198.6", "quantity": "5000"}
    assert said(book(desk, **odd)) == CODES_OF_ODD
    bulk = desk.client().post(BULK, {"trades": [booking(**odd)]}, format="json")
    assert said(bulk) == CODES_OF_ODD
    check = desk.client().post(f"{TRADES}check/", booking(**odd), format="json")
    assert [g["code"] for g in check.json()["guards"]] == CODES_OF_ODD
    assert not Trade.objects.exists()
    job = imported(desk, lines(ODD))
    assert (job["rows_booked"], job["rows_warned"]) == (1, 1)
    assert [f["code"] for f in AskedVersion.objects.get().found] == CODES_OF_ODD
    plain = book(desk).json()["id"]
    assert said(amend(desk, plain, **odd)) == CODES_OF_ODD
    page = by_admin(desk, plain, "198.6", "5000")
    assert page.count("Save again to confirm") == len(CODES_OF_ODD)


def by_admin(desk: Desk, trade: str, price: str, quantity: str, confirm: str = "") -> str:
    boss = make.make_user("admin", is_superuser=True, is_staff=True) if not confirm else None
    client = Client()
    client.force_login(boss or type(desk.trader).objects.get(username="admin"))
    form = {
        "version": "1", "account": "Test1", "ticker": "IBM", "side": "buy", "quantity": quantity,
        "price": price, "trade_date": TODAY.isoformat(), "note": "", "reason": "x",
        "confirm": confirm,
    }  # fmt: skip
    sent = {f"amend-{name}": value for name, value in form.items()}
    answer = client.post(f"/admin/trades/trade/{trade}/change/", {**sent, "_amend": "1"})
    return answer.content.decode()


def test_the_admin_saves_what_is_saved_again(desk: Desk, guards: None) -> None:
    plain = book(desk).json()["id"]
    page = by_admin(desk, plain, "198.6", "5000")
    token = page.split('name="amend-confirm"')[1].split('value="')[1].split('"')[0]
    by_admin(desk, plain, "198.6", "5000", confirm=token)
    assert Trade.objects.get(pk=plain).version == 2
    assert "Save again" not in by_admin(desk, plain, "1928.1", "10", confirm="x")
    assert Trade.objects.get(pk=plain).version == 2


@pytest.mark.parametrize("mode", ["warn", "hold", "refuse"])
def test_no_file_books_what_is_refused(desk: Desk, guards: None, mode: str) -> None:
    job = imported(desk, lines(WRONG, "IBM,Test1,buy,10,192.81"), guards=mode)
    assert (job["rows_booked"], job["rows_rejected"], job["rows_held"]) == (1, 1, 0)
    assert "900% above the mark" in reasons(desk, job["id"])[2]


def test_rows_that_are_warned_of_can_be_refused(desk: Desk, guards: None) -> None:
    job = imported(desk, lines(ODD, "IBM,Test1,buy,10,192.81"), guards="refuse")
    assert (job["rows_booked"], job["rows_rejected"]) == (1, 1)


def test_held_rows_are_booked_by_a_person(desk: Desk, guards: None) -> None:
    job = imported(desk, lines(ODD, "IBM,Test1,buy,10,192.81", ODD), guards="hold")
    assert (job["rows_booked"], job["rows_held"]) == (1, 2)
    url = f"{TRADES}imports/{job['id']}/held/"
    found = desk.client().get(url).json()["results"]
    assert [(row["line"], row["state"]) for row in found] == [(2, "held"), (4, "held")]
    assert [f["code"] for f in found[0]["asked"]] == CODES_OF_ODD
    assert desk.client("outsider").get(url).status_code == 404
    booked = desk.client().post(f"{url}book/", {"lines": [2]}, format="json").json()
    assert booked["booked"] == 1
    kept = AskedVersion.objects.get()
    assert (str(kept.trade_id), kept.confirmed_by) == (booked["ids"][0], desk.trader)
    assert desk.client().post(f"{url}book/", {"lines": [2]}, format="json").status_code == 409
    assert desk.client().post(f"{url}drop/", {}, format="json").json() == {"dropped": 1}
    job = read(desk, job["id"])
    assert (job["rows_booked"], job["rows_held"], job["rows_rejected"]) == (2, 0, 1)
    assert [row.state for row in HeldRow.objects.order_by("line")] == ["booked", "dropped"]


def test_an_undo_asks_and_is_not_refused(desk: Desk) -> None:
    job = imported(desk, lines(WRONG))
    guard("off_mark", warn="3", refuse="50")
    make_corrector(desk)
    url = f"{TRADES}imports/{job['id']}/undo/"
    asked = desk.client().post(url, {"reason": "wrong"}, format="json")
    assert (asked.status_code, said(asked)) == (409, ["off_mark"])
    sent = {"reason": "wrong", "confirm": asked.json()["confirm"]}
    assert desk.client().post(url, sent, format="json").status_code == 202
    work(UUID(job["id"]))
    assert Trade.objects.get().status == "cancelled"


def make_corrector(desk: Desk) -> None:
    Entitlement.objects.filter(user=desk.trader).update(can_correct=True)


def test_of_two_confirmations_at_once_one_books(desk: Desk, guards: None) -> None:
    terms: dict[str, Any] = {
        "account": "Test1", "ticker": "IBM", "side": "buy", "quantity": Decimal(10),
        "price": Decimal("198.6"),
    }  # fmt: skip
    wanted = Booking(**terms, sent=frozenset(terms))
    with pytest.raises(ConfirmationRequired) as asked:
        trade_book(user=desk.trader, booking=wanted, now=NOW)

    def confirm() -> Any:
        token = asked.value.token
        return trade_book(user=desk.trader, booking=wanted, now=NOW, confirm=token)

    done = at_once(confirm, confirm, confirm)
    assert sum(isinstance(each, ConfirmationRequired) for each in done) == 2, done
    assert Trade.objects.count() == AskedVersion.objects.count() == 1


# --- properties of the rules ---------------------------------------------------------------------

AMOUNTS = st.decimals("0.0001", "1000000", places=4)
LEVELS = st.none() | st.decimals("0", "2000000", places=3)
ORDERS = st.builds(
    Order,
    ticker=st.just("IBM"),
    side=st.sampled_from(["buy", "sell"]),
    quantity=AMOUNTS,
    price=AMOUNTS,
    held=st.decimals("-1000000", "1000000", places=4),
    compared=st.none() | st.builds(Compared, price=AMOUNTS, name=st.just("the mark"),
                                   is_stale=st.booleans()),
    late=st.integers(0, 300),
    again=st.integers(0, 3),
    last=st.none(),
    moved=st.none() | st.decimals("-1000000", "1000000", places=4),
)  # fmt: skip


@st.composite
def rule_sets(draw: Any) -> dict[str, Rule]:
    codes = draw(st.lists(st.sampled_from(CODES), unique=True))
    found = {}
    for code in codes:
        levels = sorted(level for level in (draw(LEVELS), draw(LEVELS)) if level is not None)
        warn = levels[0] if levels else None
        refuse = levels[1] if len(levels) > 1 else None
        found[code] = Rule(warn, refuse, None)
    return found


@settings(max_examples=300)
@given(ORDERS, rule_sets())
def test_what_guards_say(order: Order, rules: dict[str, Rule]) -> None:
    found = judged(order, rules)
    assert [f.code for f in found] == [c for c in CODES if c in {f.code for f in found}]
    assert {f.code for f in found} <= rules.keys()
    for each in found:
        rule = rules[each.code]
        assert each.value > each.limit
        assert each.limit in (rule.warn, rule.refuse, Decimal(0))
        if each.refuses:
            assert rule.refuse is not None
            assert each.value > rule.refuse
    # What only takes away of what is held is never refused.
    if abs(order.after) < abs(order.held) and order.after * order.held >= 0:
        assert not refusals(found)
    assert not refusals(asked_only(found))
    assert [f.code for f in asked_only(found)] == [f.code for f in found]
    # A wider guard says no more, and one that is not there says nothing.
    wider = {
        code: rule._replace(
            warn=None if rule.warn is None else rule.warn * 2 + 1,
            refuse=None if rule.refuse is None else rule.refuse * 2 + 1,
        )
        for code, rule in rules.items()
    }
    assert {f.code for f in judged(order, wider)} <= {f.code for f in found}
    assert judged(order, {}) == []
