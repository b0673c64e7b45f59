"""A cursor that is none of the list's is refused, whatever it is: 400, by its name."""

import base64
import json

import pytest

from tests import factories as make
from tests.blotter.conftest import TUESDAY, Blotter

LISTS = [
    "pnl/",
    "positions/",
    f"positions/snapshots/?session={TUESDAY}",
    "pnl/intraday/",
    "trades/",
]
NO_CURSORS = {
    "an empty list": json.dumps([]),
    "NUL": json.dumps(["2026-03-17\0", "Te\0st1"]),
    "a line feed": json.dumps(["\n", "2026-03-17T15:00:00Z"]),
    "an unpaired surrogate": json.dumps(["\ud800", "2026-03-17T15:00:00Z"]),
    "a number": json.dumps([1]),
    "an object": json.dumps({"a": "b"}),
    "no JSON": "W10",
    "nested without end": "[" * 5_000,
}


@pytest.mark.parametrize("name", ["after", "before"])
@pytest.mark.parametrize("address", LISTS)
@pytest.mark.parametrize("text", NO_CURSORS.values(), ids=NO_CURSORS.keys())
def test_what_is_no_cursor(blotter: Blotter, address: str, name: str, text: str) -> None:
    blotter.trade("10", "40", TUESDAY)
    cursor = base64.urlsafe_b64encode(text.encode()).decode()
    client = make.client_of(blotter.user)
    client.raise_request_exception = False
    url = f"/api/v1/{address}{'&' if '?' in address else '?'}{name}={cursor}"
    answer = client.get(url)
    assert answer.status_code == 400, answer.content[-300:]
    assert [error["attr"] for error in answer.json()["errors"]] == [name]
