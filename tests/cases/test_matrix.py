"""Files made from trades in every style there is: what is booked is those trades, or the file is
refused with words. The generator writes with code of its own."""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eqtrade.up.postgres import PostgresServer
from kernel.clock import clock_set
from kernel.errors import Invalid
from tests import factories as make
from trades.imports.accept import Asked, Hashed, import_accept
from trades.imports.preview import Preview, import_preview
from trades.imports.reading.reading import Options
from trades.imports.run import import_run
from trades.models import Trade

NOW = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
FILES = 500
DAYS = [date(2026, m, d) for m, d in ((4, 6), (5, 6), (11, 3), (11, 12), (11, 24))]
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DATES: dict[str, Callable[[date], str]] = {
    "iso": lambda d: d.isoformat(),
    "short": lambda d: f"{d.year}{d.month:02}{d.day:02}",
    "slashes": lambda d: f"{d.year}/{d.month:02}/{d.day:02}",
    "midnight": lambda d: f"{d.isoformat()} 00:00:00",
    "us": lambda d: f"{d.month}/{d.day}/{d.year}",
    "us padded": lambda d: f"{d.month:02}/{d.day:02}/{d.year % 100}",
    "european": lambda d: f"{d.day:02}.{d.month:02}.{d.year}",
    "british": lambda d: f"{d.day:02}/{d.month:02}/{d.year}",
    "dashes": lambda d: f"{d.day}-{d.month}-{d.year}",
    "named": lambda d: f"{d.day}-{MONTHS[d.month - 1]}-{d.year}",
    "american": lambda d: f"{MONTHS[d.month - 1]} {d.day}, {d.year}",
}
ORDERS = {"us": "mdy", "us padded": "mdy", "european": "dmy", "british": "dmy", "dashes": "dmy"}
SIDES = (
    ("buy", "sell"), ("BUY", "SELL"), ("Bought", "Sold"), ("B", "S"), ("YOU BOUGHT", "YOU SOLD"),
    ("BOT", "SLD"), ("Buy to cover", "Sell short"), ("Kauf", "Verkauf"), ("Koop", "Verkoop"),
    None,
)  # fmt: skip
TICKERS = {"BRK.B": ("BRK.B", "BRK/B", "BRK B", "brk-b"), "KO": ("KO", "ko", " KO ")}
NOTES = ("", "fine", "Müller – Auftrag", 'a "quoted", one')


@dataclass(frozen=True)
class Style:
    """`thousands` separates them, `sign` begins the decimals; `negative` is how a sale's quantity
    is written."""

    encoding: str
    delimiter: str
    sign: str
    thousands: str
    negative: str
    dollar: str
    dates: str
    sides: tuple[str, str] | None
    newest_first: bool
    quoting: Literal[0, 1]
    end: str
    titles: tuple[str, ...]
    footers: tuple[str, ...]


@dataclass(frozen=True)
class Made:
    ticker: str
    spelled: str
    side: str
    quantity: Decimal
    price: Decimal
    day: date
    note: str


styles = st.builds(
    Style,
    encoding=st.sampled_from(("utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-be")),
    delimiter=st.sampled_from((",", ";", "\t", "|")),
    sign=st.sampled_from((".", ",")),
    thousands=st.sampled_from(("", "other", " ", "'")),
    negative=st.sampled_from(("-{}", "({})", "{}-")),
    dollar=st.sampled_from(("", "$", "$ ")),
    dates=st.sampled_from(sorted(DATES)),
    sides=st.sampled_from(SIDES),
    newest_first=st.booleans(),
    quoting=st.sampled_from((csv.QUOTE_MINIMAL, csv.QUOTE_ALL)),
    end=st.sampled_from(("\n", "\r\n")),
    titles=st.sampled_from(((), ("Orders of the desk", ""), ("", ""), ("sep",))),
    footers=st.sampled_from(((), ("", "This list is for your use only."), ("Total",), ("", ""))),
)
numbers = st.one_of(
    st.integers(1, 5_000_000).map(Decimal),
    st.integers(1, 5_000_000).map(lambda n: Decimal(n) / 100),
    st.integers(1, 5_000_000).map(lambda n: Decimal(n) / 1000),
)
made = st.builds(
    lambda spelled, **more: Made(ticker=spelled[0], spelled=spelled[1], **more),
    spelled=st.sampled_from([(ticker, each) for ticker in TICKERS for each in TICKERS[ticker]]),
    side=st.sampled_from(("buy", "sell")),
    quantity=numbers,
    price=numbers,
    day=st.sampled_from(DAYS),
    note=st.sampled_from(NOTES),
)


def number(value: Decimal, style: Style) -> str:
    whole, _, decimals = f"{value:f}".partition(".")
    between = {"other": "," if style.sign == "." else "."}.get(style.thousands, style.thousands)
    groups: list[str] = []
    while len(whole) > 3 and between:
        groups.insert(0, whole[-3:])
        whole = whole[:-3]
    return between.join([whole, *groups]) + (style.sign + decimals if decimals else "")


def file_of(style: Style, trades: list[Made]) -> bytes:
    header = ["ticker", "account", "quantity", "price", "trade_date", "note"]
    if style.sides:
        header.insert(2, "side")
    rows = []
    for each in trades:
        quantity = number(each.quantity, style)
        if each.side == "sell" and (style.sides is None or "(" in style.negative):
            quantity = style.negative.format(quantity)
        row = [each.spelled, "Test1", quantity, style.dollar + number(each.price, style),
               DATES[style.dates](each.day), each.note]  # fmt: skip
        if style.sides:
            row.insert(2, style.sides[each.side == "sell"])
        rows.append(row)
    text = io.StringIO()
    for title in style.titles:
        text.write((f"sep={style.delimiter}" if title == "sep" else title) + style.end)
    writer = csv.writer(
        text, delimiter=style.delimiter, quoting=style.quoting, lineterminator=style.end
    )
    writer.writerow(header)
    writer.writerows(rows[::-1] if style.newest_first else rows)
    for footer in style.footers:
        text.write(footer + style.end)
    return text.getvalue().encode(style.encoding)


@pytest.fixture
def user(committed_db: PostgresServer) -> Iterator[Any]:
    with clock_set(NOW):
        trader = make.make_user("trader")
        make.entitle(trader, make.make_account("Test1"), book=True)
        for ticker in TICKERS:
            make.make_instrument(ticker)
        yield trader


def seen(user: Any, data: bytes, options: Options) -> Preview:
    return import_preview(
        user=user, file=Hashed(lambda: [data]), size=len(data), options=options, now=NOW
    )


def taken(user: Any, data: bytes, options: Options, digest: str | None) -> Any:
    asked = Asked(100, dry_run=False, options=options, digest=digest, again=True)
    job, _ = import_accept(user=user, file_name="x.csv", read=lambda: [data], asked=asked, now=NOW)
    import_run(job.pk, turn_seconds=600)
    job.refresh_from_db()
    return job


def by_date(trades: list[Made]) -> list[Made]:
    return sorted(trades, key=lambda each: each.day)


def test_what_is_booked_is_what_the_file_was_made_from(
    user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = {"booked": 0, "asked": 0, "refused": 0}

    @settings(
        max_examples=FILES, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(styles, st.lists(made, min_size=1, max_size=5).map(by_date))
    def check(style: Style, trades: list[Made]) -> None:
        data = file_of(style, trades)
        is_told = len({each.day for each in trades}) > 1
        order = None if is_told or not style.newest_first else "newest_first"
        options = Options(order=order)
        found = seen(user, data, options)
        codes = [ask.code for ask in found.asks]
        if codes:
            with pytest.raises(Invalid) as refusal:
                taken(user, data, options, None)
            assert [error.code for error in refusal.value.errors] == codes
            if "missing_column" in codes:
                # Without sides a file must have a quantity below zero.
                assert style.sides is None
                assert all(each.side == "buy" for each in trades)
                tried["refused"] += 1
                return
            tried["asked"] += 1
            options = Options(
                order=options.order,
                decimal=style.sign if "decimal_unclear" in codes else None,
                date_order=ORDERS.get(style.dates) if "date_order_unclear" in codes else None,
            )
            found = seen(user, data, options)
        assert found.asks == ()
        job = taken(user, data, options, found.digest)
        booked = Trade.objects.filter(request_group__import_job=job.pk).order_by("id")
        assert [
            (t.instrument.ticker, t.side, t.quantity, t.price, t.trade_date, t.note)
            for t in booked.select_related("instrument")
        ] == [
            (each.ticker, each.side, each.quantity, each.price, each.day, each.note)
            for each in trades
        ]
        shown = [row.trade for row in found.rows if row.trade and not row.errors]
        assert sorted((t["ticker"], t["quantity"], t["price"]) for t in shown) == sorted(
            (each.ticker, each.quantity, each.price) for each in trades
        )
        assert found.counts["trades"] == job.rows_booked == len(trades)
        assert found.counts["passed_over"] == job.passed_over
        tried["booked"] += 1

    check()
    print(tried)
    assert tried["booked"] > FILES // 2
