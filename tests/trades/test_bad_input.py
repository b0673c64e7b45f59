"""Numbers and bodies as only raw JSON can hold them, at every call that takes terms of a trade."""

import base64
import json
from typing import Any

import pytest

from tests import factories as make
from tests.trades.conftest import NOW, TODAY, Desk
from tests.trades.test_booking import URL
from trades.models import LedgerEntry, Trade, TradeVersion

# Written into the body as they stand.
NO_NUMBERS = {
    "NaN": "NaN", "Infinity": "Infinity", "-Infinity": "-Infinity", "quoted NaN": '"NaN"',
    "1e400": "1e400", "1e-400": "1e-400", "1E2": "1E2", "a googolplex": "1e999999999999",
    "minus zero": "-0", "minus zero point zero": "-0.0", "blanks": '" 1 "', "underscore": '"1_0"',
    "full-width": '"１２"', "arabic": '"١٢"', "superscript": '"²"', "plus": '"+1"', "hex": "0x10",
    "leading zero": "01", "point": '"."', "comma": '"1,5"', "true": "true", "list": "[1]",
    "nested list": "[[1]]", "object": '{"a": 1}', "empty": '""', "21 digits": '"1' + "0" * 20 + '"',
    "21 digits unquoted": "1" + "0" * 20, "10,000 digits": "1" * 10_000,
    "lone surrogate": '"1\\ud800"', "NUL": '"1\\u0000"', "line feed": '"1\\n"',
    "date": '"2026-01-01"',
}  # fmt: skip
NO_TEXTS = {
    "number": "1", "true": "true", "list": '["a"]', "object": "{}", "lone surrogate": '"a\\udfff"',
    "NUL": '"a\\u0000"', "escape": '"a\\u001b"', "C1 control": '"a\\u0085"', "blank": '"  "',
    "too long": '"' + "x" * 201 + '"',
}  # fmt: skip


@pytest.fixture
def trade(desk: Desk) -> Trade:
    return make.make_trade(desk.trader, desk.account, desk.ibm, "10", "2", trade_date=TODAY, at=NOW)


def send(desk: Desk, call: str, trade: Trade, field: str, literal: str) -> Any:
    bodies = {
        "book": {"account": '"Test1"', "ticker": '"IBM"', "side": '"buy"', "quantity": "1",
                 "price": "1"},
        "amend": {"version": "1", "reason": '"typo"', "quantity": "7"},
        "cancel": {"version": "1", "reason": '"typo"'},
    }  # fmt: skip
    fields = {**bodies[call], field: literal}
    body = "{" + ", ".join(f'"{name}": {value}' for name, value in fields.items()) + "}"
    client = desk.client()
    urls = {"book": URL, "amend": f"{URL}{trade.pk}/", "cancel": f"{URL}{trade.pk}/cancel/"}
    method = client.patch if call == "amend" else client.post
    return method(urls[call], body.encode(), content_type="application/json")


def refused(desk: Desk, call: str, trade: Trade, field: str, literals: dict[str, str]) -> None:
    """Each literal by itself in the field's place: 400 by its name, and nothing written."""
    for name, literal in literals.items():
        answer = send(desk, call, trade, field, literal)
        assert answer.status_code == 400, (name, answer.content)
        assert answer["Content-Type"] == "application/json"
        body = answer.json()
        if body["type"] == "client_error":
            assert [e["code"] for e in body["errors"]] == ["parse_error"], name
        else:
            assert {e["attr"] for e in body["errors"]} == {field}, name
        for table in (Trade, TradeVersion, LedgerEntry):
            assert table.objects.count() == 1, name


@pytest.mark.parametrize(
    ("call", "field"),
    [("book", "quantity"), ("book", "price"), ("amend", "quantity"), ("amend", "price"),
     ("amend", "version"), ("cancel", "version")],
)  # fmt: skip
def test_a_value_that_is_no_number_is_refused_by_field(
    desk: Desk, trade: Trade, call: str, field: str
) -> None:
    refused(desk, call, trade, field, NO_NUMBERS)


@pytest.mark.parametrize(
    ("call", "field"),
    [("book", "account"), ("book", "ticker"), ("book", "side"), ("book", "client_trade_id"),
     ("amend", "account"), ("amend", "ticker"), ("amend", "side"), ("amend", "reason"),
     ("cancel", "reason")],
)  # fmt: skip
def test_a_value_that_is_no_text_is_refused_by_field(
    desk: Desk, trade: Trade, call: str, field: str
) -> None:
    refused(desk, call, trade, field, NO_TEXTS)


BODIES = {
    "nothing": b"", "cut off": b'{"version": 1', "a list": b"[]", "a text": b'"x"', "null": b"null",
    "no UTF-8": b'{"reason": "\xff"}', "UTF-16": '{"version": 1}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"version": 1, "reason": "x"}',
    "a name twice": b'{"version": 1, "version": 2, "reason": "x"}',
    "deep": b'{"reason":' * 50_000, "two": b'{"version": 1, "reason": "x"} {}',
    "a comment": b'{"version": 1, "reason": "x"} // why', "a zip": b"PK\x03\x04\x00\x00",
}  # fmt: skip


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("call", ["amend", "cancel"])
def test_a_body_that_is_no_json_object_changes_no_trade(
    desk: Desk, trade: Trade, call: str, body: bytes
) -> None:
    client = desk.client()
    method = client.patch if call == "amend" else client.post
    url = f"{URL}{trade.pk}/" + ("" if call == "amend" else "cancel/")
    answer = method(url, body, content_type="application/json")
    assert answer.status_code == 400, answer.content
    assert answer.json()["type"] in ("client_error", "validation_error")
    assert TradeVersion.objects.count() == 1


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data; boundary=x", "text/csv", "x"])
def test_other_kinds_of_bodies(desk: Desk, trade: Trade, kind: str) -> None:
    answer = desk.client().patch(f"{URL}{trade.pk}/", b"version=1", content_type=kind)
    assert answer.status_code == 415
    assert answer.json()["errors"][0]["code"] == "unsupported_media_type"


@pytest.mark.parametrize("call", ["amend", "cancel"])
def test_a_body_over_the_limit(desk: Desk, trade: Trade, call: str) -> None:
    reason = '"' + "x" * (10 * 1024 * 1024) + '"'
    answer = send(desk, call, trade, "reason", reason)
    assert answer.status_code == 413
    assert answer.json()["errors"][0]["code"] == "payload_too_large"


@pytest.mark.parametrize(
    "path", ["x/", "1/", "%00/", "%FF/", "０１９c/", "00000000-0000-0000-0000-00000000000g/cancel/",
             "x/versions/", "00000000-0000-0000-0000-000000000000/nothing/"],
)  # fmt: skip
def test_addresses_that_are_none(desk: Desk, path: str) -> None:
    for answer in (desk.client().get(URL + path), desk.client().post(URL + path)):
        assert answer.status_code == 404
        assert answer.json()["type"] == "client_error"


@pytest.mark.parametrize(
    "query",
    ["account=%00", "account=%FF", "ticker=%ED%A0%80", "from=%00", "page_size=%EF%BC%91",
     "page_size=1e2", "page_size=-1", "page_size=" + "9" * 5000, "request_group=%00",
     "status=LIVE", "trade_date=0000-00-00", "to=99999-01-01", "after=%FF", "=1", "&&x"],
)  # fmt: skip
def test_queries_that_are_none(desk: Desk, query: str) -> None:
    answer = desk.client().get(f"{URL}?{query}")
    assert answer.status_code in (200, 400), answer.content
    if answer.status_code == 200:  # an account of that name simply has no trades
        assert answer.json()["results"] == []


@pytest.mark.parametrize(
    "size",
    ["0000000010000000", "000000001" + "9" * 20, "0" * 8 + "1" * 4400],
    ids=len,
)
@pytest.mark.parametrize("path", ["trades/", "pnl/", "positions/snapshots/"])
def test_pages_of_a_size_in_long_digits(desk: Desk, path: str, size: str) -> None:
    answer = desk.client().get(f"/api/v1/{path}", {"page_size": size})
    assert answer.status_code == 400, answer.content
    assert [e["attr"] for e in answer.json()["errors"]] == ["page_size"]


CURSORS = {
    "deep": "[" * 1200, "empty": "[]", "NUL": json.dumps(["\x00", "x"]), "number": "[1]",
    "surrogate": json.dumps(["\ud800", "x"]), "escape": json.dumps(["x", "\x1b"]), "object": "{}",
}  # fmt: skip


@pytest.mark.parametrize("key", CURSORS.values(), ids=CURSORS)
@pytest.mark.parametrize("name", ["after", "before"])
def test_cursors_that_are_none(desk: Desk, name: str, key: str) -> None:
    text = base64.urlsafe_b64encode(key.encode()).decode()
    for path in ("trades/", "pnl/", "pnl/intraday/", "positions/", "positions/snapshots/"):
        answer = desk.client().get(f"/api/v1/{path}", {name: text})
        assert answer.status_code == 400, (path, answer.content)
        assert [e["attr"] for e in answer.json()["errors"]] == [name], path


def test_a_callers_words_are_not_taken_for_the_databases(desk: Desk) -> None:
    answer = desk.client().get(URL, {"status": "eqtrade: another cluster"})
    assert answer.status_code == 400, answer.content
    assert [e["attr"] for e in answer.json()["errors"]] == ["status.0"]


def test_forms_of_too_many_parts(desk: Desk) -> None:
    """More fields or files than the server reads."""
    part = '--x\r\nContent-Disposition: form-data; name="{}"{}\r\n\r\nx\r\n'
    for more in ("", '; filename="x.csv"'):
        body = "".join(part.format(f"n{n}", more) for n in range(2000)) + "--x--\r\n"
        answer = desk.client().post(
            f"{URL}imports/", body.encode(), content_type="multipart/form-data; boundary=x"
        )
        assert answer.status_code == 400, answer.content
        assert [e["code"] for e in answer.json()["errors"]] == ["parse_error"]
