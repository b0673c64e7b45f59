"""What the reader decides of a file as a whole, without a database."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import FieldError
from tests.trades.reading import asked, opened, outcomes, told
from trades.imports.reading.dates import written
from trades.imports.reading.numbers import number
from trades.imports.reading.plan import Verdict
from trades.imports.reading.planning import plan_of
from trades.imports.reading.sides import said
from trades.imports.reading.tickers import Tickers

HEADER = "ticker,account,side,quantity,price"


def rows(*lines: str, header: str = HEADER) -> str:
    return "\n".join([header, *lines, ""])


# --- numbers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "sign"),
    [
        (["1,250", "70.5"], "."), (["1.250", "70,5"], ","), (["1,250.50"], "."),
        (["1.250,50"], ","), (["1.250.000"], ","), (["0,125"], ","), ([".5"], "."),
        (["1'250.5"], "."), (["1 250,500"], ","), (["100"], "."),
    ],
)  # fmt: skip
def test_a_column_decides_its_decimal_sign(cells: list[str], sign: str) -> None:
    text = rows(*[f'KO,Test1,buy,"{cell}",1' for cell in cells])
    assert opened(text).reading.decimals["quantity"] == sign


def test_a_column_goes_by_the_files_other_numbers() -> None:
    reading = opened(rows('KO,Test1,buy,"1,250",70.32')).reading
    assert reading.decimals == {"quantity": ".", "price": "."}
    assert opened(rows('KO,Test1,buy,"1.250","70,32"')).reading.decimals["quantity"] == ","


@pytest.mark.parametrize(
    "row", ['KO,Test1,buy,"1,250",70', "KO,Test1,buy,1.250,70", 'KO,Test1,buy,"1,250",1.500']
)
def test_what_nothing_decides_is_asked(row: str) -> None:
    assert asked(rows(row)) == {"decimal_unclear"}
    assert asked(rows(row), decimal=".") == set()


def test_columns_that_contradict_themselves_are_asked_about() -> None:
    text = rows('KO,Test1,buy,"1,250.5",70.5', 'KO,Test1,buy,"1.250,5",70.5')
    assert asked(text) == {"decimal_unclear"}
    assert told(outcomes(text, decimal=".")[3]) == ["other_decimal"]


@given(st.decimals("0.0001", 10_000_000, places=4), st.sampled_from(".,"), st.sampled_from(" '"))
def test_a_number_comes_back_whatever_separates_its_thousands(
    value: Decimal, sign: str, between: str
) -> None:
    whole, _, decimals = f"{value:,.4f}".partition(".")
    text = whole.replace(",", between) + sign + decimals
    assert number(text, sign) == value
    negative = number(f"({text})", sign)
    assert not isinstance(negative, FieldError)
    assert negative == -value


@pytest.mark.parametrize(
    "cell", ["€5", "5 EUR", "£5", "70.32p", "1e5", "1,2,3", "--5", "5-5", "(5"]
)
def test_what_is_no_amount_in_dollars(cell: str) -> None:
    assert isinstance(number(cell, "."), FieldError)


# --- dates ---------------------------------------------------------------------------------------


def dated(*days: str) -> str:
    return rows(*[f'KO,Test1,buy,1,1,"{day}"' for day in days], header=HEADER + ",trade_date")


def test_a_date_decides_for_its_column() -> None:
    read = outcomes(dated("03/04/2026", "03/24/2026"))
    assert told(read[2])["trade_date"] == "2026-03-04"
    assert told(outcomes(dated("03/04/2026", "24/03/2026"))[2])["trade_date"] == "2026-04-03"
    assert told(outcomes(dated("04/04/2026"))[2])["trade_date"] == "2026-04-04"


def test_dates_that_nothing_decides_are_asked_about() -> None:
    for text in (dated("03/04/2026"), dated("3.4.2026"), dated("03-04-26")):
        assert asked(text) == {"date_order_unclear"}
    assert asked(dated("03/24/2026", "24/03/2026")) == {"date_order_unclear"}
    read = outcomes(dated("03/24/2026", "24/03/2026"), date_order="dmy")
    assert told(read[2]) == ["malformed"]
    assert told(read[3])["trade_date"] == "2026-03-24"
    # Points and slashes are two ways to write.
    read = outcomes(dated("03/24/2026", "24.03.2026"))
    assert told(read[2])["trade_date"] == told(read[3])["trade_date"] == "2026-03-24"


@given(st.dates(date(1990, 1, 1), date(2060, 1, 1)))
def test_dates_written_with_the_year_or_the_months_name_first(day: date) -> None:
    for text in (f"{day:%Y-%m-%d}", f"{day:%Y%m%d}", f"{day:%Y/%m/%d}", f"{day:%d-%b-%Y}",
                 f"{day:%b-%d-%Y}", f"{day:%B %d, %Y}", f"{day:%Y-%m-%d} 10:30"):  # fmt: skip
        found = written(text)
        assert found is not None
        assert found.day(None) == day, text


# --- sides, tickers ------------------------------------------------------------------------------


def test_words_that_are_no_sides() -> None:
    assert said("1") is said("hold") is said("x") is None
    found = said("BUY (Ca.)")
    assert found is not None
    assert (found.side, found.action) == ("buy", "cancel")
    for word, kind in (("Qualified Dividend", "dividend"), ("MoneyLink Transfer", "cash"),
                       ("Service Fee", "fee"), ("Expired", "option")):  # fmt: skip
        of = said(word)
        assert of is not None
        assert of.kind == kind


def test_a_side_and_a_sign_must_agree() -> None:
    read = outcomes(rows("KO,Test1,buy,-1,1", "KO,Test1,sell,-1,1", "KO,Test1,sell,1,1"))
    assert told(read[2]) == ["sign_contradicts"]
    assert told(read[3]) == told(read[4])


def test_a_sign_says_the_side_where_nothing_else_does() -> None:
    text = rows("KO,Test1,5,1", "KO,Test1,-5,1", header="ticker,account,quantity,price")
    assert [told(row)["side"] for row in outcomes(text).values()] == ["buy", "sell"]


def test_tickers_are_told_apart_where_only_their_sign_does() -> None:
    known = Tickers(["BRK.B", "KO", "AB.C", "AB-C"], {"KO": "Coca-Cola Company (The)", "BRK.B": ""})
    assert known.find("brk/b") == known.find("BRK B") == "BRK.B"
    assert known.find("AB/C") is None
    assert known.find("AB-C") == "AB-C"
    assert known.named("COCA-COLA CO") == "KO"
    assert known.named("THE COMPANY") is None
    assert known.near("NYSE:KO") == ["KO"]
    assert known.near("BRKB") == ["BRK.B"]


def test_a_header_in_no_language_that_is_known_is_found_below_titles() -> None:
    """So that somebody can say what its columns mean."""
    text = (
        "Depotauszug vom 24.11.2026, Seite 1\n\nDatum;Papier;Richtung;Zahl;Kurs\n"
        "24.11.2026;KO;Kauf;1.250;70,5\n24.11.2026;KO;Kauf;2;70,5\nSumme;;;1.252;\n"
    )
    meant = {"Datum": "trade_date", "Papier": "ticker", "Richtung": "side", "Zahl": "quantity",
            "Kurs": "price"}  # fmt: skip
    assert opened(text).reading.header_line == 3
    read = outcomes(text, mapping=meant, account="Test1")
    assert told(read[4]) == {
        "ticker": "KO", "account": "Test1", "side": "buy", "quantity": "1250", "price": "70.5",
        "trade_date": "2026-11-24",
    }  # fmt: skip
    assert told(read[6]) == "total"


# --- rows that belong together -------------------------------------------------------------------

CHANGES = "ticker,account,side,quantity,price,client_trade_id,cancels,note"


def verdicts(*lines: str) -> list[str]:
    file = opened(rows(*lines, header=CHANGES), mapping={"cancels": "cancels"})
    plan = plan_of(file.reading, file.text.read, today=date(2026, 3, 18), order=None)
    return [Verdict(each).name.lower() for each in plan.units.verdicts]


def test_a_cancellation_takes_the_row_that_it_names() -> None:
    assert verdicts(
        "KO,Test1,buy,5,1,a,,", "KO,Test1,buy,5,1,b,,", "KO,Test1,buy,-5,1,c,a,CXL",
        "KO,Test1,buy,6,1,d,,COR",
    ) == ["cancelled", "none", "cancelled", "none"]  # fmt: skip


def test_a_cancellation_of_what_is_not_there_is_refused_with_its_correction() -> None:
    unknown = ["cancels_unknown", "corrects_unknown"]
    assert verdicts("KO,Test1,buy,-5,1,c,a,CXL", "KO,Test1,buy,6,1,d,,COR") == unknown
    assert verdicts("KO,Test1,buy,6,1,d,,COR") == ["corrects_unknown"]


def test_a_correction_takes_the_place_of_the_row_that_it_names() -> None:
    assert verdicts("KO,Test1,buy,5,1,a,,", "KO,Test1,buy,6,1,d,a,COR") == ["cancelled", "none"]


def test_the_nearest_of_equal_rows_is_cancelled_and_each_once() -> None:
    equal, cancel = "KO,Test1,buy,5,1,,,", "KO,Test1,buy,-5,1.0,,,CXL"
    assert verdicts(equal, equal, cancel, equal) == ["none", "cancelled", "cancelled", "none"]
    assert verdicts(cancel, equal, equal) == ["cancelled", "cancelled", "none"]
    assert verdicts(equal, cancel, cancel) == ["cancelled", "cancelled", "cancels_unknown"]


def test_ids_that_repeat() -> None:
    assert verdicts("KO,Test1,buy,5,1,a,,", "KO,Test1,buy,5,1,b,,", "KO,Test1,buy,5,1,a,,") == [
        "repeated", "none", "repeated",
    ]  # fmt: skip
