"""The triggers that record changes of the tables that `audit.tables` names.

A migration installs them; one that adds a table to the list, or changes what is said of one, calls
`install` again, after the table's own migration.
"""

from typing import Any

from audit.tables import AUDITED

FUNCTION = """
CREATE OR REPLACE FUNCTION eqtrade_audit() RETURNS trigger LANGUAGE plpgsql AS $body$
DECLARE
    masked text[] := string_to_array(TG_ARGV[2], ',');
    ignored text[] := string_to_array(TG_ARGV[3], ',');
    was jsonb; is_now jsonb; named text; row_id text; done text;
    who jsonb := coalesce(nullif(current_setting('eqtrade.audit', true), '')::jsonb, '{}');
BEGIN
    IF TG_OP <> 'INSERT' THEN was := to_jsonb(OLD); END IF;
    IF TG_OP <> 'DELETE' THEN is_now := to_jsonb(NEW); END IF;
    row_id := coalesce(is_now, was) ->> 'id';
    IF TG_OP = 'UPDATE' THEN
        SELECT jsonb_object_agg(o.key, o.value), jsonb_object_agg(o.key, n.value) INTO was, is_now
          FROM jsonb_each(was) o JOIN jsonb_each(is_now) n USING (key)
         WHERE o.value IS DISTINCT FROM n.value AND o.key <> ALL (ignored);
        IF was IS NULL THEN RETURN NULL; END IF;
        done := 'changed';
    ELSIF TG_OP = 'INSERT' THEN
        done := 'created';
    ELSE
        done := 'deleted';
    END IF;
    SELECT was || coalesce(jsonb_object_agg(m, '***'), '{}') INTO was
      FROM unnest(masked) m WHERE was ? m;
    SELECT is_now || coalesce(jsonb_object_agg(m, '***'), '{}') INTO is_now
      FROM unnest(masked) m WHERE is_now ? m;
    IF TG_OP = 'DELETE' THEN
        EXECUTE 'SELECT (' || TG_ARGV[1] || ')::text' INTO named USING OLD;
    ELSE
        EXECUTE 'SELECT (' || TG_ARGV[1] || ')::text' INTO named USING NEW;
    END IF;
    INSERT INTO audit_record (event, actor, actor_name, address, source, request_id, object_id,
                              object_name, before, after)
    VALUES (TG_ARGV[0] || '.' || done, (who ->> 'actor')::bigint, coalesce(who ->> 'name', ''),
            (who ->> 'address')::inet, coalesce(who ->> 'source', 'database: ' || session_user),
            coalesce(who ->> 'request_id', ''), coalesce(row_id, ''),
            left(coalesce(named, ''), 400), was, is_now);
    RETURN NULL;
END
$body$
"""
TRIGGER = "eqtrade_audit"


def install(schema_editor: Any) -> None:
    """Make the function and the triggers of all audited tables that exist."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(FUNCTION)
        for table in AUDITED:
            cursor.execute("SELECT to_regclass(%s)", [table])
            if cursor.fetchone()[0] is not None:
                cursor.execute(_create(table))


def remove(schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION eqtrade_audit() CASCADE")


def arguments(table: str) -> list[str]:
    """What the trigger tells its function."""
    of = AUDITED[table]
    return [of.event, of.named, ",".join(of.masked), ",".join(of.ignored)]


def _create(table: str) -> str:
    said = ", ".join("'" + each.replace("'", "''") + "'" for each in arguments(table))
    return (
        f'CREATE OR REPLACE TRIGGER {TRIGGER} AFTER INSERT OR UPDATE OR DELETE ON "{table}"'
        f" FOR EACH ROW EXECUTE FUNCTION eqtrade_audit({said})"
    )
