"""One booking, followed by its request's id through the logs of the whole running stack."""

import re

import requests

from tests.stack.eventually import eventually
from tests.stack.running import PASSWORD, RunningStack

FOLLOWED = ("nginx", "api", "worker-ledger", "ws")
NOTE = "a note that is nobody else's business"


def lines_of(stack: RunningStack, program: str, text: str) -> list[str]:
    log = stack.layout.logs / f"{program}.log"
    return [line for line in log.read_text(errors="replace").splitlines() if text in line]


def test_a_booking_is_found_by_one_id_in_every_log(stack: RunningStack) -> None:
    desk, trader = stack.desk(), stack.client("trader")
    wrong = {"username": "trader", "password": "hunter22 is wrong"}
    requests.post(f"{stack.url}/api/v1/token/", json=wrong, timeout=60)
    with stack.live("trader", [desk]) as live:
        live.wait(lambda live: live.snapshots > 0)
        answer = trader.post(
            "trades/", account=desk, ticker="AAPL", side="buy", quantity="3", price="10", note=NOTE
        )
        assert answer.status_code == 201
        trade, request_id = answer.json()["id"], answer.headers["X-Request-ID"]
        assert re.fullmatch("[0-9a-f]{32}", request_id)

        def told_everywhere() -> None:
            for program in FOLLOWED:
                assert lines_of(stack, program, request_id), program

        eventually(told_everywhere)
    assert trade in lines_of(stack, "api", request_id)[0]
    assert any("ledger applied" in line for line in lines_of(stack, "worker-ledger", request_id))
    for log in stack.layout.logs.glob("*.log"):
        written = log.read_text(errors="replace")
        for secret in (NOTE, trader.token, PASSWORD, wrong["password"]):
            assert secret not in written, log.name
