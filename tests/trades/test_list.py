"""GET /api/v1/trades/: filters and pages, against a plain reading of all trades; and that no list
walks through trades that it does not show."""

import base64
import json
import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from psycopg import connect

from eqtrade.up.postgres import PostgresServer
from tests import factories as make
from tests.trades.conftest import NOW, TODAY, Desk, make_desk
from tests.trades.test_booking import URL, problems
from trades import pages
from trades.models import RequestGroup, Trade
from trades.pages import TradeFilter, trade_page
from trades.services.new_trades import new_trade_id

TICKERS = ("IBM", "XOM", "BRK.B")
DAYS = [TODAY - timedelta(days=n) for n in (0, 1, 2, 5, 6, 30)]
STATUSES = ["booked"] * 6 + ["amended"] * 2 + ["cancelled"]


@pytest.fixture
def trades(desk: Desk) -> list[Trade]:
    """300 trades of every kind. They come straight into the table: a list reads nothing else."""
    chance = random.Random(4)
    instruments = [desk.ibm, *(make.make_instrument(t) for t in TICKERS[1:])]
    groups = [
        RequestGroup.objects.create(id=uuid4(), user=desk.trader, terms_hash="") for _ in range(3)
    ]
    made = []
    for _ in range(300):
        status = chance.choice(STATUSES)
        made.append(
            Trade(
                id=new_trade_id(),
                account=chance.choice([desk.account, desk.other, desk.no_short]),
                instrument=chance.choice(instruments),
                side="buy",
                quantity=Decimal(1),
                price=Decimal(2),
                trade_date=chance.choice(DAYS),
                executed_at=NOW,
                booked_at=NOW,
                booked_by=desk.trader,
                version=1 if status == "booked" else 2,
                status=status,
                request_group=chance.choice([None, *groups]),
            )
        )
    Trade.objects.bulk_create(made)
    return made


def ids(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [row["id"] for row in response.json()["results"]]


LIVE = ("booked", "amended")
CASES: list[tuple[dict[str, Any], Callable[[Trade], bool]]] = [
    ({}, lambda t: True),
    ({"account": "Test2"}, lambda t: t.account.code == "Test2"),
    ({"account": ["Test2", "Test4"]}, lambda t: t.account.code in ("Test2", "Test4")),
    ({"account": ["Test2", "Nope"]}, lambda t: t.account.code == "Test2"),
    ({"account": "Nope"}, lambda t: False),
    ({"ticker": "IBM"}, lambda t: t.instrument.ticker == "IBM"),
    ({"ticker": ["IBM", "BRK.B"]}, lambda t: t.instrument.ticker in ("IBM", "BRK.B")),
    ({"ticker": "NOPE"}, lambda t: False),
    ({"status": "cancelled"}, lambda t: t.status == "cancelled"),
    ({"status": "booked"}, lambda t: t.status == "booked"),
    ({"status": "amended"}, lambda t: t.status == "amended"),
    ({"status": "live"}, lambda t: t.status in LIVE),
    ({"status": ["booked", "amended"]}, lambda t: t.status in LIVE),
    ({"status": ["booked", "cancelled"]}, lambda t: t.status in ("booked", "cancelled")),
    ({"status": ["live", "cancelled"]}, lambda t: True),
    ({"trade_date": DAYS[1]}, lambda t: t.trade_date == DAYS[1]),
    ({"trade_date": date(2026, 1, 1)}, lambda t: False),
    ({"from": DAYS[3]}, lambda t: t.trade_date >= DAYS[3]),
    ({"to": DAYS[3]}, lambda t: t.trade_date <= DAYS[3]),
    ({"from": DAYS[3], "to": DAYS[1]}, lambda t: DAYS[3] <= t.trade_date <= DAYS[1]),
    ({"from": DAYS[1], "to": DAYS[3]}, lambda t: False),
    ({"ticker": "IBM", "from": DAYS[1], "to": DAYS[3]}, lambda t: False),
    ({"from": "1900-01-01", "to": "2999-12-31"}, lambda t: True),
    ({"from": DAYS[1], "trade_date": DAYS[2]}, lambda t: False),
    (
        {"account": "Test1", "ticker": "XOM", "status": "live", "from": DAYS[4]},
        lambda t: t.account.code == "Test1" and t.instrument.ticker == "XOM"
        and t.status in LIVE and t.trade_date >= DAYS[4],
    ),
    (
        {"account": ["Test1", "Test4"], "status": "amended", "trade_date": DAYS[0]},
        lambda t: t.account.code != "Test2" and t.status == "amended" and t.trade_date == DAYS[0],
    ),
]  # fmt: skip


@pytest.mark.parametrize("max_keys", [20_000, 0], ids=["by day", "trade by trade"])
def test_a_filter_lists_the_trades_that_fit_newest_first(
    desk: Desk, trades: list[Trade], max_keys: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "MAX_KEYS", max_keys)
    client = desk.client()
    for query, fits in CASES:
        expected = [str(t.pk) for t in reversed(trades) if fits(t)]
        assert ids(client.get(URL, {**query, "page_size": 1000})) == expected, query


def test_a_request_group_with_and_without_more(desk: Desk, trades: list[Trade]) -> None:
    group = next(str(t.request_group_id) for t in trades if t.request_group_id)
    ours = [t for t in reversed(trades) if str(t.request_group_id) == group]
    client = desk.client()
    assert ids(client.get(URL, {"request_group": group})) == [str(t.pk) for t in ours]
    found = ids(client.get(URL, {"request_group": group, "ticker": "IBM", "status": "live"}))
    fit = [t for t in ours if t.instrument.ticker == "IBM" and t.status in LIVE]
    assert found == [str(t.pk) for t in fit]
    assert ids(client.get(URL, {"request_group": str(uuid4())})) == []
    assert ids(desk.client("outsider").get(URL, {"request_group": group})) == []


@pytest.mark.parametrize("query", [{}, {"status": "live"}, {"ticker": "IBM", "from": DAYS[4]}])
def test_pages_forward_and_back_show_each_trade_once(
    desk: Desk, trades: list[Trade], query: dict[str, Any]
) -> None:
    client = desk.client()
    everything = ids(client.get(URL, {**query, "page_size": 1000}))
    page = client.get(URL, {**query, "page_size": 7}).json()
    assert page["previous"] is None
    forward = [page]
    while page["next"]:
        page = client.get(page["next"]).json()
        forward.append(page)
    assert [r["id"] for p in forward for r in p["results"]] == everything
    back = [page]
    while page["previous"]:
        page = client.get(page["previous"]).json()
        back.append(page)
    assert [p["results"] for p in reversed(back)] == [p["results"] for p in forward]
    assert page["previous"] is None


def test_a_page_stays_put_while_newer_trades_are_booked(desk: Desk, trades: list[Trade]) -> None:
    client = desk.client()
    first = client.get(URL, {"page_size": 10}).json()
    second = client.get(first["next"]).json()
    make.make_trade(desk.trader, desk.account, desk.ibm, "1", "2", trade_date=TODAY, at=NOW)
    assert client.get(first["next"]).json() == second


def test_only_what_the_caller_may_view(desk: Desk, trades: list[Trade]) -> None:
    viewer = desk.client("viewer")
    expected = [str(t.pk) for t in reversed(trades) if t.account.code == "Test1"]
    assert ids(viewer.get(f"{URL}?page_size=1000")) == expected
    assert ids(viewer.get(f"{URL}?page_size=1000&account=Test1&account=Test2")) == expected
    assert ids(viewer.get(URL, {"account": "Test2"})) == []
    assert ids(desk.client("outsider").get(URL)) == []


def test_a_page_begins_after_a_trade_that_is_known_from_elsewhere(
    desk: Desk, trades: list[Trade]
) -> None:
    client = desk.client("trader")
    everything = client.get(URL, {"page_size": 300}).json()["results"]
    known = everything[120]["id"]
    page = client.get(URL, {"page_size": 10, "after": known}).json()["results"]
    assert page == everything[121:131]
    page = client.get(URL, {"page_size": 10, "before": known}).json()["results"]
    assert page == everything[110:120]


def cursor(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


@pytest.mark.parametrize(
    ("query", "attr"),
    [
        ({"status": "dead"}, "status.0"), ({"from": "18.03.2026"}, "from"), ({"to": ""}, "to"),
        ({"trade_date": "2026-02-30"}, "trade_date"), ({"request_group": "x"}, "request_group"),
        ({"account": "a\x00"}, "account.0"), ({"ticker": "X" * 17}, "ticker.0"),
        ({"page_size": "0"}, "page_size"), ({"page_size": "1001"}, "page_size"),
        ({"page_size": "abc"}, "page_size"), ({"after": "cD1hYmM="}, "after"),
        ({"after": cursor(["x"])}, "after"), ({"after": cursor([])}, "after"),
        ({"before": cursor(["x", "y"])}, "before"), ({"before": "ü"}, "before"),
        ({"after": cursor([str(UUID(int=1))]), "before": cursor([str(UUID(int=2))])}, "before"),
        ({"colour": "red"}, "colour"), ({"cursor": "x"}, "cursor"),
    ],
    ids=repr,
)  # fmt: skip
def test_queries_that_are_refused(desk: Desk, query: dict[str, Any], attr: str) -> None:
    answer = desk.client().get(URL, query)
    assert answer.status_code == 400, answer.content
    assert {a for a, _ in problems(answer)} == {attr}


# --- plans ---------------------------------------------------------------------------------------


def plan(wanted: TradeFilter) -> tuple[set[str], int]:
    """The indexes that the page's query reads, and how many rows it takes out of them at most, as
    the plan that really ran says."""
    with CaptureQueriesContext(connection) as captured:
        list(trade_page(wanted, limit=101))
    query = next(q["sql"] for q in captured.captured_queries if "LIMIT" in q["sql"])
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}")
        (root,) = cursor.fetchone()[0]
    names: set[str] = set()
    rows = 0
    todo = [root["Plan"]]
    while todo:
        node = todo.pop()
        todo += node.get("Plans", [])
        if "Index Name" in node or node["Node Type"] == "Seq Scan":
            names.add(node.get("Index Name", f"Seq Scan on {node.get('Relation Name')}"))
        if node.get("Relation Name") == "trades_trade":
            met = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
            rows += int(met * node["Actual Loops"])
    return names, rows


@pytest.fixture
def busy(committed_db: PostgresServer, noon: datetime) -> Desk:
    """60,000 trades in one account, 3 old ones each in two others; statistics as in use.

    Only the owner may ANALYZE, and sees only what is committed. Without it the plans are those for
    whatever trades other tests had when autovacuum last came by."""
    desk = make_desk()
    instruments = [desk.ibm.pk, *(make.make_instrument(t).pk for t in TICKERS[1:])]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO trades_trade (id, account_id, instrument_id, side, quantity, price,
                trade_date, executed_at, booked_at, booked_by_id, note, version, status)
            SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
                   CASE WHEN n <= 3 THEN %(other)s WHEN n <= 6 THEN %(third)s ELSE %(busy)s END,
                   (%(instruments)s::bigint[])[1 + n %% 3], 'buy', 1, 2,
                   %(today)s::date - (60000 - n) / 300, now(), now(), %(user)s, '',
                   CASE WHEN n = 10 THEN 2 ELSE 1 END,
                   CASE WHEN n = 10 THEN 'cancelled' ELSE 'booked' END
              FROM generate_series(1, 60000) n
            """,
            {
                "busy": desk.account.pk, "other": desk.other.pk, "third": desk.no_short.pk,
                "instruments": instruments, "today": TODAY, "user": desk.trader.pk,
            },
        )  # fmt: skip
    with connect(committed_db.url("superuser", "eqtrade"), autocommit=True) as owner:
        owner.execute("VACUUM ANALYZE trades_trade, accounts_account, prices_instrument, auth_user")
    return desk


QUIET: dict[str, Callable[[Desk], TradeFilter]] = {
    "two quiet accounts": lambda d: TradeFilter([d.other.pk, d.no_short.pk]),
    "all accounts": lambda d: TradeFilter([d.account.pk, d.other.pk, d.no_short.pk]),
    "a rare status": lambda d: TradeFilter([d.account.pk], statuses=["cancelled"]),
    "a status that no trade has": lambda d: TradeFilter([d.account.pk], statuses=["amended"]),
    "an old day": lambda d: TradeFilter(
        [d.account.pk], first=TODAY - timedelta(days=150), last=TODAY - timedelta(days=150)
    ),
    "old days": lambda d: TradeFilter([d.account.pk], last=TODAY - timedelta(days=190)),
    "days before the first": lambda d: TradeFilter([d.account.pk], last=date(2000, 1, 3)),
    "days after the last": lambda d: TradeFilter([d.account.pk], first=date(2030, 1, 3)),
    "a ticker that was not traded": lambda d: TradeFilter(
        [d.account.pk], instruments=[d.ibm.pk + len(TICKERS)]
    ),
    "a user who never booked": lambda d: TradeFilter([d.account.pk], booked_by=d.viewer.pk),
    "a request group": lambda d: TradeFilter([d.account.pk], request_group=uuid4()),
}


def test_no_page_walks_through_trades_that_it_does_not_show(busy: Desk) -> None:
    for which, wanted in QUIET.items():
        names, rows = plan(wanted(busy))
        assert "Seq Scan on trades_trade" not in names, which
        indexes = {n for n in names if n.startswith(("trade_by_", "trade_in_"))}
        # Nothing is read where a range of days covers none that can have trades.
        assert indexes or rows == 0, (which, names)
        # One page's rows for each key that can have any on it (here, at most ten days), and the
        # page itself.
        assert rows <= (1200 if which == "old days" else 350), (which, rows)
