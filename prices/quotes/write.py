"""Quotes are written where they are newer: a source's, and those loaded by hand."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from kernel.errors import Invalid
from prices.closes.judge import NEAR
from prices.csv_rows import Warn, error_at, nobody
from prices.last_price import far_off, last_prices
from prices.marks import SIMULATED
from prices.models import MANUAL, Instrument
from prices.notify import publish_changed
from prices.plausible import far_off_sql
from prices.quotes.csv_file import read_quotes
from prices.sources import SourceQuote

# What a person loads and what is made up here is as it is meant; what others say is judged.
AS_THEY_ARE = (MANUAL, SIMULATED)


def quotes_keep(name: str, instruments: Iterable[Instrument], quotes: Iterable[SourceQuote]) -> int:
    """Keep a source's quotes of these instruments where they are newer and plausible; how many
    changed. One statement."""
    ids = {instrument.ticker: instrument.pk for instrument in instruments}
    rows = [(ids[q.ticker], q.price, q.as_of) for q in quotes if q.price > 0]
    with transaction.atomic():
        if name in AS_THEY_ARE:
            changed = quotes_insert(name, rows)
            count = len(changed)
        else:
            count, changed = _judge(name, rows)
        publish_changed(changed)
    return count


def quotes_load(*, lines: Iterable[str], now: datetime, warn: Warn = nobody) -> int:
    """Load quotes typed by hand, all or nothing; how many are newer than what was loaded before.

    They count before the source's of the same day. `lines` is CSV with the header
    `ticker,as_of,price`, each ticker once. Raises Invalid, by line. What is far from the last price
    is loaded, too, and warned of.
    """
    rows, errors = read_quotes(lines)
    known = {i.ticker: i for i in Instrument.objects.filter(ticker__in={r.ticker for r in rows})}
    for row in rows:
        if row.ticker not in known:
            detail = f"The ticker {row.ticker!r} is not known."
            errors.append(error_at(row.line, "unknown_ticker", detail))
        elif row.as_of > now:
            errors.append(error_at(row.line, "in_future", "This time has not come yet."))
    if errors:
        raise Invalid(*sorted(errors, key=lambda e: int((e.attr or "line 0").split()[1])))
    last = last_prices([instrument.pk for instrument in known.values()], now)
    for row in rows:
        for doubt in far_off(row.price, last[known[row.ticker].pk]):
            warn(f"line {row.line}: {row.ticker}: {doubt.detail}")
    quotes = [SourceQuote(row.ticker, row.price, row.as_of) for row in rows]
    return quotes_keep(MANUAL, known.values(), quotes)


_NEW = """
    new AS MATERIALIZED (
        SELECT n.*, (n.as_of AT TIME ZONE 'America/New_York')::date AS session
          FROM unnest(%(ids)s::bigint[], %(prices)s::numeric[], %(times)s::timestamptz[])
               WITH ORDINALITY AS n (instrument_id, price, as_of, place)
    )
"""
_KEEP = """
    INSERT INTO prices_quote AS known (instrument_id, source, price, as_of)
    SELECT n.instrument_id, %(source)s, n.price, n.as_of FROM {new} n ORDER BY n.place
        ON CONFLICT (instrument_id, source) DO UPDATE
       SET price = excluded.price, as_of = excluded.as_of
     WHERE excluded.as_of > known.as_of
    RETURNING instrument_id
"""
_AS_IT_IS = f"WITH {_NEW} {_KEEP.format(new='new')}"


# The last price is the last quote of late, else the last close of late.
def _judged(last: str) -> str:
    """The statement that keeps what is near the last price, given by this expression."""
    return f"""
    WITH {_NEW}, judged AS MATERIALIZED (
        SELECT n.*, {last} AS last,
               coalesce({far_off_sql("n.price", last)}, false) AS far_off
          FROM new n
          LEFT JOIN prices_quote q
            ON q.instrument_id = n.instrument_id AND q.source = %(source)s
          LEFT JOIN LATERAL (
            SELECT q.price, (q.as_of AT TIME ZONE 'America/New_York')::date AS day
             WHERE q.as_of > n.as_of - make_interval(days => %(near)s)) k ON true
          LEFT JOIN LATERAL (
            SELECT b.close, b.session AS day
              FROM eqtrade_effective_close_before(n.instrument_id, n.session, %(source)s) b
             WHERE k.price IS NULL AND n.session - b.session <= %(near)s
          ) c ON true
         WHERE q.as_of IS NULL OR q.as_of < n.as_of
    ), plausible AS (SELECT * FROM judged WHERE NOT far_off),
    kept AS ({_KEEP.format(new="plausible")}),
    held AS (
        INSERT INTO prices_closedoubt AS d (instrument_id, session, source, kind, price,
            compared_with, as_of, raised_at, state)
        SELECT j.instrument_id, j.session, %(source)s, 'quote', j.price, j.last, j.as_of, j.as_of,
               'held'
          FROM judged j
         WHERE j.far_off AND NOT EXISTS (
            SELECT FROM prices_closedoubt r
             WHERE r.instrument_id = j.instrument_id AND r.session = j.session
               AND r.source = %(source)s AND r.kind = 'quote' AND r.state = 'refused'
               AND NOT {far_off_sql("j.price", "r.price")})
         ORDER BY j.place
            ON CONFLICT (instrument_id, session, source, kind) WHERE state = 'held' DO NOTHING
        RETURNING instrument_id
    ), overtaken AS (
        UPDATE prices_closedoubt d
           SET state = 'overtaken', decided_at = j.as_of, reason = 'The source has said better.'
          FROM judged j
         WHERE d.instrument_id = j.instrument_id AND d.source = %(source)s AND d.kind = 'quote'
           AND d.state = 'held' AND j.as_of > d.as_of
           AND (NOT j.far_off OR d.session < j.session)
        RETURNING d.instrument_id
    )
    SELECT instrument_id, true FROM kept
     UNION ALL SELECT instrument_id, false FROM held
     UNION ALL SELECT instrument_id, false FROM overtaken
"""


# A price of before an ex-date is compared in the terms of the quote's day.
_JUDGED = _judged("""(coalesce(k.price, c.close) * (
    SELECT coalesce(exp(sum(ln(v.keep_old / v.keep_new))), 1)
      FROM prices_corporateaction a
      JOIN prices_corporateactionversion v
        ON v.action_id = a.id AND v.version = a.confirmed_version
     WHERE a.instrument_id = n.instrument_id AND a.confirmed_version IS NOT NULL
       AND a.ex_date <= n.session AND a.ex_date > coalesce(k.day, c.day)
       AND v.keep_new > 0 AND v.keep_new <> v.keep_old))""")


def quotes_insert(name: str, quotes: Iterable[tuple[int, Decimal, datetime]]) -> list[int]:
    """Write quotes (instrument id, price, time) as they are, in one statement; the instruments of
    those that were newer. Rows go in the order of ids, so that two refreshes at once wait for each
    other instead of locking crosswise."""
    with connection.cursor() as cursor:
        cursor.execute(_AS_IT_IS, _params(name, quotes))
        return [int(row[0]) for row in cursor.fetchall()]


def _judge(name: str, quotes: Iterable[tuple[int, Decimal, datetime]]) -> tuple[int, list[int]]:
    """As `quotes_insert`, but what is far from the last is held back for a person, and what comes
    to be plausible answers what was held back. How many were written, and the instruments of which
    anything is to be told."""
    with connection.cursor() as cursor:
        cursor.execute(_JUDGED, {**_params(name, quotes), "near": NEAR.days})
        found = cursor.fetchall()
    return sum(is_kept for _, is_kept in found), [pk for pk, _ in found]


def _params(name: str, quotes: Iterable[tuple[int, Decimal, datetime]]) -> dict[str, Any]:
    rows = sorted(quotes)
    return {
        "source": name,
        "ids": [row[0] for row in rows],
        "prices": [row[1] for row in rows],
        "times": [row[2] for row in rows],
    }
