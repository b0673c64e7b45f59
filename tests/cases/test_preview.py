"""A preview says what an import does, and stores nothing."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from tests import factories as make
from tests.cases.test_files import CASES, FILES, Case, booked, desk
from tests.trades.conftest import Desk
from tests.trades.importing import URL, imported, lines, reasons, upload
from trades.imports import preview as previewing
from trades.models import Import, ImportChunk, Trade

__all__ = ["desk"]


def preview(desk: Desk, data: bytes | str, who: str = "trader", **more: str) -> Any:
    held = data.encode() if isinstance(data, str) else data
    file = SimpleUploadedFile("trades.csv", held, content_type="text/csv")
    return desk.client(who).post(f"{URL}preview/", {"file": file, **more}, format="multipart")


def shown(desk: Desk, data: bytes | str, **more: str) -> dict[str, Any]:
    answer = preview(desk, data, **more)
    assert answer.status_code == 200, answer.content
    assert not ImportChunk.objects.exists() or Import.objects.exists()
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.file)
def test_what_is_shown_is_what_is_booked(desk: Desk, case: Case) -> None:
    data = (FILES / case.file).read_bytes()
    seen = shown(desk, data, **case.said)
    assert not Import.objects.exists()
    assert not Trade.objects.exists()
    job = imported(desk, data, digest=seen["digest"], **case.said)
    trades = [
        (row["trade"]["ticker"], row["trade"]["side"], row["trade"]["trade_date"])
        for row in seen["rows"]
        if row["trade"] and not row["errors"]
    ]
    assert sorted(trades) == sorted((t.split()[0], t.split()[1], t.split()[4]) for t in booked())
    assert seen["counts"] == {
        "rows": job["rows_total"],
        "trades": job["rows_booked"],
        "rejected": job["rows_rejected"],
        "passed_over": job["passed_over"],
        "judged": job["rows_total"],
    }
    wrong = {row["line"] for row in seen["rows"] if row["errors"]}
    assert wrong == set(reasons(desk, job["id"]))
    assert job["reading"] == {name: seen[name] for name in job["reading"]}


def test_another_reading_is_refused(desk: Desk) -> None:
    text = lines("KO,Test1,buy,10,2", "KO,Test1,buy,20,2")
    digest = shown(desk, text)["digest"]
    for other, more in (
        (text + "KO,Test1,buy,1,1\n", {}),
        (text, {"timezone": "UTC"}),
        (text, {"account": "Test3"}),
        (text, {"order": "newest_first"}),
    ):
        answer = upload(desk, other, digest=digest, **more)
        assert answer.status_code == 409, more
        assert answer.json()["errors"][0]["code"] == "reading_changed"
    assert upload(desk, text, digest=digest).status_code == 202


ASKED = {
    "decimal": ("decimal_unclear", lines("KO;Test1;buy;1.250;70", header=
        "ticker;account;side;quantity;price"), "1250"),
    "date_order": ("date_order_unclear", lines("KO,Test1,buy,5,70,05/06/2026", header=
        "ticker,account,side,quantity,price,trade_date"), "5"),
    "account": ("account_needed", lines("KO,buy,5,70", header="ticker,side,quantity,price"), "5"),
    "mapping": ("unknown_column", lines("KO,Test1,buy,5,70,x", header=
        "ticker,account,side,quantity,price,colour"), "5"),
}  # fmt: skip
ANSWERS = {"decimal": ",", "date_order": "dmy", "account": "Test1", "mapping": '{"colour": null}'}


@pytest.mark.parametrize("field", ASKED)
def test_what_nothing_decides_is_asked_by_both(desk: Desk, field: str) -> None:
    code, text, quantity = ASKED[field]
    seen = shown(desk, text)
    assert seen["digest"] is None
    assert [ask["code"] for ask in seen["asks"]] == [code]
    assert seen["rows"][0]["cells"] == text.splitlines()[1].replace(";", ",").split(",")
    refused = upload(desk, text)
    assert refused.status_code == 400
    assert [e["code"] for e in refused.json()["errors"]] == [code]
    said = {field: ANSWERS[field]}
    answered = shown(desk, text, **said)
    assert answered["asks"] == []
    assert answered["rows"][0]["trade"]["quantity"] == quantity
    job = imported(desk, text, digest=answered["digest"], **said)
    assert job["rows_booked"] == 1


def test_who_may_book_nowhere_sees_no_preview(desk: Desk) -> None:
    assert preview(desk, lines("KO,Test1,buy,1,1"), "viewer").status_code == 403


def test_a_file_is_refused_as_an_import_refuses_it(desk: Desk) -> None:
    for data in (b"", b"PK\x03\x04xx", lines().encode(), b"a\x00b"):
        one, other = preview(desk, data), upload(desk, data)
        assert one.status_code == other.status_code == 400
        assert one.json() == other.json()


def test_the_same_file_and_probable_duplicates_are_warned_of(desk: Desk) -> None:
    text = lines("KO,Test1,buy,10,2", "KO,Test1,buy,10,2")
    imported(desk, text)
    codes = {w["code"]: w["detail"] for w in shown(desk, text)["warnings"]}
    assert "trader" in codes["file_seen"]
    assert codes["probable_duplicates"].startswith("2 rows")
    more = shown(desk, text + "KO,Test1,buy,10,2\n")
    assert [len(row["warnings"]) for row in more["rows"]] == [1, 1, 0]
    assert "file_seen" not in {w["code"] for w in more["warnings"]}


def test_of_a_large_file_the_beginning_is_read(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previewing, "WHOLE_BYTES", 10_000)
    monkeypatch.setattr(previewing, "BEGINNING_BYTES", 1_000)
    text = lines(*["KO,Test1,buy,10,2.5"] * 2_000)
    seen = shown(desk, text)
    assert (seen["complete"], seen["size"]) == (False, len(text))
    assert 40 < seen["counts"]["rows"] < 55
    assert "beginning_only" in {w["code"] for w in seen["warnings"]}
    assert upload(desk, text, digest=seen["digest"]).status_code == 202
    # What comes later may change how it is read: then it is not what was seen.
    other = text + 'KO,Test1,buy,"1,5","2,5"\n' * 2
    answer = upload(desk, other, digest=shown(desk, other)["digest"])
    assert answer.status_code in (400, 409)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_a_beginning_shows_the_first_rows_wherever_it_was_cut(desk: Desk, encoding: str) -> None:
    header = "ticker,account,side,quantity,price,note"
    text = lines(*[f"KO,Test1,buy,{n},2.5,Müller é" for n in range(1, 400)], header=header)
    data = text.encode(encoding)
    whole = shown(desk, data)
    # Each of the last bytes of a row: within a character of two bytes, and of its end, too.
    for cut in range(len(data) // 2, len(data) // 2 + len("KO,Test1,buy,100,2.5,Müller é\n")):
        seen = shown(desk, data[:cut], beginning="true")
        assert (seen["digest"], seen["complete"]) == (None, False)
        assert seen["rows"] == whole["rows"][: len(seen["rows"])]
        assert seen["counts"]["rows"] >= 20
        assert seen["encoding"] == whole["encoding"]


def test_a_beginning_cannot_be_booked(desk: Desk) -> None:
    text = lines(*["KO,Test1,buy,10,2.5"] * 200)
    assert upload(desk, text, beginning="true").status_code == 400


def test_profiles_are_told(desk: Desk) -> None:
    found = desk.client().get(f"{URL}profiles/").json()
    assert {"schwab", "degiro", "ib_flex", "reference"} <= {each["name"] for each in found}


def test_the_command_prints_what_a_preview_says(desk: Desk) -> None:
    make.make_user("boss", is_superuser=True)
    path = FILES / "05-excel-de.csv"
    out = StringIO()
    call_command("import_check", str(path), stdout=out)
    assert json.loads(out.getvalue()) == shown(desk, path.read_bytes())
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_check", str(FILES / "none.csv"))


def test_a_mapping_is_saved_under_a_name(desk: Desk) -> None:
    text = "Paper;When;Dir;Qty;Px;Colour\nKO;05/06/2026;S;1.250;70;red\n"
    said = {
        "mapping": {
            "Paper": "ticker", "When": "trade_date", "Dir": "side", "Qty": "quantity",
            "Px": "price", "Colour": None,
        },
        "decimal": ",", "date_order": "dmy", "account": "Test3",
    }  # fmt: skip
    client, path = desk.client(), f"{URL}mappings/"
    assert client.put(f"{path}our broker/", said, format="json").status_code == 200
    seen = shown(desk, text, mapping="our broker")
    assert seen["rows"][0]["trade"]["quantity"] == "1250"
    assert imported(desk, text, mapping="our broker", digest=seen["digest"])["rows_booked"] == 1
    assert booked() == ["KO sell 1250 70 2026-06-05"]
    # What is said now comes first; and nobody else has it.
    assert shown(desk, text, mapping="our broker", account="Test1")["styles"]["account"] == "Test1"
    make.entitle(desk.outsider, desk.account, book=True)
    other = preview(desk, text, "outsider", mapping="our broker")
    assert other.json()["errors"][0]["code"] == "unknown_mapping"
    [row] = client.get(path).json()
    assert {of: row[of] for of in said} == said
    for bad in ({"mapping": {"Qty": "colour"}}, {"mapping": "x"}, {"decimal": "x"}, {"x": 1}):
        assert client.put(f"{path}other/", bad, format="json").status_code == 400
    assert client.delete(f"{path}our broker/").status_code == 204
    assert client.delete(f"{path}our broker/").status_code == 404
    assert client.get(path).json() == []
