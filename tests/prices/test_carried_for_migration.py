"""An upgrade of closes that were carried before they said for which source."""

import pytest
from django.core.management import call_command
from django.db import connection

from prices.models import Close

BEFORE = """
    INSERT INTO prices_instrument
           (ticker, name, exchange, currency, yahoo_symbol, is_active, indices)
    VALUES ('AAPL', '', 'XNYS', 'USD', 'AAPL', true, '{}');
    INSERT INTO prices_closerun
           (session, source, state, attempts, expected, missing, settled_at, last_error)
    VALUES ('2026-01-29', 'csv', 'carried', 6, 1, 1, '2026-01-30T04:50:00Z', ''),
           ('2026-01-30', 'csv', 'complete', 6, 1, 0, '2026-01-31T04:50:00Z', ''),
           ('2026-01-30', 'yahoo', 'carried', 6, 1, 1, '2026-02-05T04:50:00Z', ''),
           ('2026-02-02', 'yahoo', 'pending', 1, 1, 1, NULL, '');
    INSERT INTO prices_close (instrument_id, session, source, close, recorded_at)
    SELECT i.id, v.session::date, v.source, 195.61, v.at::timestamptz
      FROM prices_instrument i, (VALUES
           ('2026-01-28', 'csv', '2026-01-28T21:00:00Z'),
           ('2026-01-29', 'carried', '2026-01-30T04:50:01Z'),
           ('2026-01-30', 'carried', '2026-01-31T04:50:01Z'),
           ('2026-01-30', 'carried', '2026-02-05T04:50:01Z'),
           ('2026-02-02', 'carried', '2026-02-03T04:50:01Z')) AS v (session, source, at)
     ORDER BY v.at::timestamptz;
"""


@pytest.mark.usefixtures("elsewhere")
def test_whose_they_are_is_known_from_the_run_settled_with_them() -> None:
    call_command("migrate", "prices", "0009", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute(BEFORE)
    # There, back and there again.
    call_command("migrate", "prices", verbosity=0)
    call_command("migrate", "prices", "0009", verbosity=0)
    call_command("migrate", "prices", verbosity=0)
    found = Close.objects.order_by("recorded_at").values_list("source", "carried_for")
    assert list(found) == [
        ("csv", ""),
        ("carried", "csv"),
        ("carried", "csv"),
        ("carried", "unknown"),
        ("carried", "yahoo"),
    ]
    with connection.cursor() as cursor, pytest.raises(Exception, match="Cannot update"):
        cursor.execute("UPDATE prices_close SET close = 1")
