from django.db import migrations

CREATE = """
CREATE FUNCTION eqtrade_recorded_at() RETURNS timestamptz
LANGUAGE sql VOLATILE PARALLEL RESTRICTED AS $$
    SELECT coalesce(
        nullif(current_setting('eqtrade.recorded_at', true), '')::timestamptz,
        clock_timestamp()
    )
$$;
COMMENT ON FUNCTION eqtrade_recorded_at() IS
    'Time of recording; the session setting eqtrade.recorded_at is for tests only';
"""


class Migration(migrations.Migration):
    initial = True
    dependencies: list[tuple[str, str]] = []
    operations = [migrations.RunSQL(CREATE, "DROP FUNCTION eqtrade_recorded_at()")]
