"""What the rows of an import say: booked, or reported with the reason."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from eqtrade.up.postgres import PostgresServer
from tests import factories as make
from tests.trades.conftest import Desk, make_desk
from tests.trades.importing import (
    HEADER,
    ROW,
    URL,
    counts,
    errors_csv,
    imported,
    lines,
    read,
    reasons,
    rejected,
    upload,
    work,
)
from trades.models import ClientTradeId, Import, Trade


@pytest.fixture
def desk(committed_db: PostgresServer, noon: datetime) -> Desk:
    return make_desk()


def test_all_columns_the_reference_systems_names_and_excels_habits(desk: Desk) -> None:
    text = (
        "\ufeffID,Ticker,Account,Buy Or Sell,Shares,Price,Booked_At,Note,Request_Group,Trade Date"
        "\r\n"
        'a-1,IBM,Test1,Buy,10,143.50,2026-03-17 10:30:00,"a ""quoted"", note",x,\r\n'
        "\r\n"
        ",IBM,Test2,SELL,2.5,.5,2026-03-16T20:00:00Z,,,2026-03-17\r\n"
    )
    job = imported(desk, text)
    assert counts(job) == ("done", 2, 2, 0), rejected(desk, job["id"])
    # Booked in the order in which they were executed.
    two, one = Trade.objects.order_by("id")
    assert (one.client_trade_id, one.note, one.side) == ("a-1", 'a "quoted", note', "buy")
    assert one.executed_at == datetime.fromisoformat("2026-03-17T14:30Z")
    assert one.trade_date == two.trade_date == date(2026, 3, 17)
    assert (two.client_trade_id, two.side, two.quantity) == (None, "sell", Decimal("2.5"))


def test_rows_that_cannot_be_booked_are_reported_and_the_others_booked(desk: Desk) -> None:
    bad = {
        3: ("NOPE,Test1,buy,1,2", "ticker: This ticker is not known."),
        4: ("IBM,Nope,buy,1,2", "account: You have no account of this code."),
        5: ("IBM,Test1,hold,1,2", "side: This must be buy or sell."),
        6: ("IBM,Test1,buy,-1,2", "quantity: The side says buy"),
        7: ("IBM,Test1,buy,1,000,2", "thousands separators"),
        8: ("IBM,Test1,buy,1e3,2", "quantity: This is written with an exponent"),
        9: ("IBM,Test1,buy,1 x,2", "quantity: This must be a plain decimal"),
        10: ("IBM,Test1,buy,-0,2", "quantity: This must be greater than 0."),
        11: ("IBM,Test1,buy,1", "only 4 cells"),
        12: ("IBM,Test1,buy,2,€2", "price: This is not in US dollars."),
        13: ("IBM,Test1,buy,,2", "quantity"),
        14: (",Test1,buy,1,2", "ticker: This field may not be blank."),
        15: ('IBM,Test1,buy,1,"2', "never closed"),
        16: ("IBM,Te\x07st1,buy,1,2", "Control characters"),
        17: ("IBM,Test1,buy,1_0,１２", "quantity: This must be a plain decimal"),
        18: ("IBM,Test1,buy,Infinity,NaN", "price: This must be a plain decimal"),
        19: ("IBM,Test1,buy," + "9" * 21 + ",1", "quantity: This"),
        20: ("IBM,Test1,buy,1.00000000001,1000000001", "at most 1,000,000,000"),
    }
    text = lines(ROW, *[row for row, _ in bad.values()], ROW)
    job = imported(desk, text)
    assert counts(job) == ("done", len(bad) + 2, 2, len(bad))
    said = reasons(desk, job["id"])
    assert set(said) == set(bad)
    for line, (_, word) in bad.items():
        assert word in said[line], (line, said[line])
    head, first, *_ = rejected(desk, job["id"])
    assert head == ["rejected_line", "rejected_because", *HEADER.split(",")]
    assert first[2:] == ["NOPE", "Test1", "buy", "1", "2"]


def test_the_file_of_rejected_rows_can_be_mended_and_sent_again(desk: Desk) -> None:
    job = imported(desk, lines("NOPE,Test1,buy,1,2", ROW))
    mended = errors_csv(desk, job["id"]).replace("NOPE", "IBM")
    assert counts(imported(desk, mended)) == ("done", 1, 1, 0)


@pytest.mark.parametrize("accept", ["text/csv", "text/html", "*/*"])
def test_the_file_of_rejected_rows_whatever_is_accepted(desk: Desk, accept: str) -> None:
    job = imported(desk, lines("NOPE,Test1,buy,1,2"))
    client = desk.client()
    answer = client.get(f"{URL}{job['id']}/errors.csv", headers={"accept": accept})
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8")
    missing = client.get(f"{URL}{uuid4()}/errors.csv", headers={"accept": accept})
    assert (missing.status_code, missing.json()["type"]) == (404, "client_error")


def test_dates_and_times_are_judged_as_of_the_upload(desk: Desk) -> None:
    text = lines(
        f"{ROW},2026-03-19,", f"{ROW},2026-03-15,", f"{ROW},,2026-03-18T17:00:00Z", f"{ROW},,noon",
        f"{ROW},2026-03-16,", header=HEADER + ",trade_date,executed_at",
    )  # fmt: skip
    job = imported(desk, text)
    assert counts(job) == ("done", 5, 1, 4)
    assert Trade.objects.get().trade_date == date(2026, 3, 16)


def test_own_ids_book_once_across_files(desk: Desk) -> None:
    header = HEADER + ",client_trade_id"
    job = imported(desk, lines(f"{ROW},a", f"{ROW},b", header=header))
    assert counts(job) == ("done", 2, 2, 0)
    again = imported(desk, lines(f"{ROW},a", f"{ROW},c", "IBM,Test1,buy,99,1,b", header=header))
    assert counts(again) == ("done", 3, 1, 2)
    assert "before" in reasons(desk, again["id"])[2]
    assert "other terms" in reasons(desk, again["id"])[4]
    assert Trade.objects.count() == ClientTradeId.objects.count() == 3


def test_rows_that_share_an_id_are_refused_together(desk: Desk) -> None:
    """Whether they are one trade or several, the file does not say."""
    header = HEADER + ",client_trade_id"
    text = lines(f"{ROW},a", f"{ROW},b", f"{ROW},a", "IBM,Test2,buy,1,1,a", header=header)
    job = imported(desk, text)
    assert counts(job) == ("done", 4, 2, 2)
    said = reasons(desk, job["id"])
    assert set(said) == {2, 4}
    assert "several rows" in said[2]
    # Of a column of that name alone it is not known.
    orders = imported(desk, lines(*[f"{ROW},a"] * 3, header=HEADER + ",ID"))
    assert counts(orders) == ("done", 3, 3, 0)
    assert orders["reading"]["columns_passed_over"] == ["ID"]
    mapped = imported(
        desk, lines(*[f"{ROW},x"] * 3, header=HEADER + ",ID"), mapping='{"ID": "client_trade_id"}'
    )
    assert counts(mapped) == ("done", 3, 0, 3)


def test_a_refused_row_leaves_its_own_id_free(desk: Desk) -> None:
    header = HEADER + ",client_trade_id"
    job = imported(desk, lines("IBM,Test4,sell,5,2,x", "IBM,Test4,sell,5,2,y", header=header))
    assert counts(job) == ("done", 2, 0, 2)
    assert all("may not go short" in reason for reason in reasons(desk, job["id"]).values())
    assert not ClientTradeId.objects.exists()
    text = lines("IBM,Test4,buy,5,2,y", "IBM,Test4,sell,5,2,x", header=header)
    assert counts(imported(desk, text)) == ("done", 2, 2, 0)


def test_rows_count_in_order_where_short_is_not_allowed(desk: Desk) -> None:
    rows = ["IBM,Test4,sell,5,2", "IBM,Test4,buy,5,2", "IBM,Test4,sell,3,2", "IBM,Test4,sell,3,2",
            "IBM,Test4,sell,2,2"]  # fmt: skip
    job = imported(desk, lines(*rows))
    assert counts(job) == ("done", 5, 3, 2)
    assert set(reasons(desk, job["id"])) == {2, 5}


def test_accounts_that_one_may_only_view_or_not_see(desk: Desk) -> None:
    make.entitle(desk.viewer, desk.other, book=True)
    answer = upload(desk, lines(ROW, "IBM,Test2,buy,1,1", "IBM,Test4,buy,1,1"), "viewer")
    work(UUID(answer.json()["id"]))
    job = read(desk, answer.json()["id"], "viewer")
    assert counts(job) == ("done", 3, 1, 2)
    said = {r.line: r.reason for r in Import.objects.get().rejections.all()}
    assert "may not book" in said[2]
    assert "no account" in said[4]
    assert "may not" not in said[4]
