"""Which close is effective, as two functions that queries of every app call.

The planner puts their bodies in the place of the calls: plain SQL, STABLE, and neither SET, STRICT
nor SECURITY DEFINER, each of which would keep it from doing so (0.8 ms for a session of 503 names,
280 ms with a SET).
"""

from django.db import migrations

# Prices of different sources never mix: one by hand counts, else the price source's own, else one
# that was carried because that source had none.
IS_ELIGIBLE = """
       AND c.source = ANY (ARRAY['manual', price_source, 'carried'])
       AND c.carried_for IN ('', price_source)"""
# Of the same source the one recorded last counts.
BEST_FIRST = """
              array_position(ARRAY['manual', price_source, 'carried'], c.source::text),
              c.recorded_at DESC, c.id DESC"""

CREATE = f"""
CREATE FUNCTION eqtrade_effective_closes(days date[], price_source text)
RETURNS TABLE (id bigint, instrument_id bigint, session date, close numeric, source text)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT DISTINCT ON (c.instrument_id, c.session)
           c.id, c.instrument_id, c.session, c.close, c.source::text
      FROM prices_close c
     WHERE c.session = ANY (days){IS_ELIGIBLE}
     ORDER BY c.instrument_id, c.session,{BEST_FIRST}
$$;
COMMENT ON FUNCTION eqtrade_effective_closes(date[], text) IS
    'The effective close of every instrument on each of these sessions that has one';

CREATE FUNCTION eqtrade_effective_close_before(instrument bigint, day date, price_source text)
RETURNS TABLE (id bigint, instrument_id bigint, session date, close numeric, source text)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1 AS $$
    SELECT c.id, c.instrument_id, c.session, c.close, c.source::text
      FROM prices_close c
     WHERE c.instrument_id = instrument AND c.session < day{IS_ELIGIBLE}
     ORDER BY c.session DESC,{BEST_FIRST}
     LIMIT 1
$$;
COMMENT ON FUNCTION eqtrade_effective_close_before(bigint, date, text) IS
    'The last effective close of one instrument before a day';
"""

DROP = """
DROP FUNCTION eqtrade_effective_close_before(bigint, date, text);
DROP FUNCTION eqtrade_effective_closes(date[], text);
"""


class Migration(migrations.Migration):
    dependencies = [("prices", "0011_calendar_stamp")]

    operations = [migrations.RunSQL(CREATE, DROP)]
