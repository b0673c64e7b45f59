"""An import whose worker is killed again and again: every row booked exactly once."""

import signal
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import psutil
import psycopg

from tests.stack.client import TIMEOUT, Client, Row
from tests.stack.eventually import eventually
from tests.stack.running import RunningStack
from tests.stack.signalling import signal_all

ROWS = 40_000
KILLS = 5
TICKERS = ("PG", "KO", "PEP")
PATH = "trades/imports/"


def upload(client: Client, text: str, **more: Any) -> Row:
    answer = client.session.post(
        f"{client.url}/api/v1/{PATH}",
        files={"file": ("killed.csv", text, "text/csv")},
        data=more,
        timeout=TIMEOUT,
    )
    assert answer.status_code == 202, answer.text
    row: Row = answer.json()
    return row


def state(client: Client, job: Row) -> Row:
    found: Row = client.get(f"{PATH}{job['id']}/").json()
    return found


def further(client: Client, job: Row, than: int) -> Row:
    """Wait until more rows are done."""

    def look() -> Row:
        found = state(client, job)
        assert found["rows_done"] > than, found
        return found

    return eventually(look)


def kill_importers(stack: RunningStack, *, whole: bool) -> None:
    """Kill -9 the processes that import; with `whole` their worker too."""
    worker = psutil.Process(stack.pid("worker-prices"))
    children = worker.children(recursive=True)
    if whole:
        stack.kill("worker-prices")
    signal_all(children, signal.SIGKILL)


def lease(stack: RunningStack, job: Row) -> object:
    """Whose turn it is."""
    with psycopg.connect(stack.settings()["DATABASE_URL"]) as database:
        row = database.execute(
            "SELECT lease FROM trades_import WHERE id = %s", [job["id"]]
        ).fetchone()
    assert row is not None
    return row[0]


def taken_over(stack: RunningStack, job: Row, dead: object) -> None:
    """Wait until another worker has the lease."""

    def look() -> None:
        assert lease(stack, job) != dead

    eventually(look)


def test_every_row_is_booked_once_whoever_dies(
    stack: RunningStack, record_property: Callable[[str, object], None]
) -> None:
    desk, client = stack.desk(), stack.client("trader")
    # No ids of the caller's own, which would hide a row that is booked twice.
    rows = [f"{TICKERS[n % 3]},{desk},buy,{n},{1 + n % 7}.25" for n in range(1, ROWS + 1)]
    waited = []
    with stack.live("trader", [desk]) as live:
        job = upload(client, "\n".join(["ticker,account,side,quantity,price", *rows]))
        found = further(client, job, 0)
        for number in range(KILLS):
            assert found["state"] == "running", "it was over before it could be killed"
            kill_importers(stack, whole=number == KILLS - 1)
            killed = time.monotonic()
            taken_over(stack, job, lease(stack, job))
            # What the dead one's last transaction still did is not a resumption.
            found = further(client, job, state(client, job)["rows_done"])
            waited.append(round(time.monotonic() - killed, 1))

        def over() -> Row:
            found = state(client, job)
            assert found["state"] == "done", found
            return found

        end = eventually(over, seconds=120)
        record_property("seconds until another worker went on", waited)
        print("seconds until another worker went on:", waited)
        assert (end["rows_booked"], end["rows_rejected"]) == (ROWS, 0)
        assert len(end["request_groups"]) == ROWS // 100
        live.wait(lambda live: any(i["state"] == "done" for i in live.imports))
    told = [i for i in live.imports if i["id"] == job["id"]]
    assert [i["rows_done"] for i in told] == sorted(i["rows_done"] for i in told)
    assert told[-1]["request_groups"] == end["request_groups"]

    booked = client.rows("trades/", account=desk, page_size=1000)
    assert sorted(int(Decimal(t["quantity"])) for t in booked) == list(range(1, ROWS + 1))

    def held() -> None:
        sums = {t: sum(n for n in range(1, ROWS + 1) if TICKERS[n % 3] == t) for t in TICKERS}
        assert client.quantities(desk) == sums

    eventually(held)
    assert "no breaks" in stack.manage("verify")


def test_a_body_beyond_nginxs_limit_is_413_in_the_apis_form(stack: RunningStack) -> None:
    client = stack.client("trader")
    answer = client.session.post(
        f"{client.url}/api/v1/{PATH}",
        files={"file": ("large.csv", b"x" * 100_000_000, "text/csv")},
        timeout=TIMEOUT,
    )
    assert answer.status_code == 413
    assert answer.json()["type"] == "client_error"
    assert "80 MB" in answer.json()["errors"][0]["detail"]


def test_an_import_of_another_user_is_told_to_nobody_else(stack: RunningStack) -> None:
    desk = stack.desk()
    with stack.live("middleoffice", [desk]) as others, stack.live("trader", []) as mine:
        job = upload(
            stack.client("trader"), f"ticker,account,side,quantity,price\nKO,{desk},buy,1,1"
        )
        mine.wait(lambda live: any(i["state"] == "done" for i in live.imports))
        others.wait(lambda live: bool(live.state["trades"]))
    assert not others.imports
    undo = stack.client("trader").post(f"{PATH}{job['id']}/undo/", reason="wrong file")
    assert undo.status_code == 202

    def undone() -> None:
        assert state(stack.client("trader"), job)["state"] == "undone"
        assert stack.client("trader").quantities(desk) == {}

    eventually(undone)
