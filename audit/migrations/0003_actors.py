"""Whoever did anything is kept, under the name that they did it with: a user who is in the record is
neither deleted nor given another name. They are switched off instead."""

from django.db import migrations

KEEP = """
CREATE FUNCTION eqtrade_keep_actor() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF EXISTS (SELECT 1 FROM audit_record WHERE actor = OLD.id) THEN
        RAISE EXCEPTION 'eqtrade: % did things that are on record: deactivate this user instead',
            OLD.username USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$body$;
CREATE TRIGGER keep_actor BEFORE DELETE ON auth_user
    FOR EACH ROW EXECUTE FUNCTION eqtrade_keep_actor();
CREATE TRIGGER keep_name BEFORE UPDATE OF username ON auth_user
    FOR EACH ROW WHEN (OLD.username IS DISTINCT FROM NEW.username)
    EXECUTE FUNCTION eqtrade_keep_actor();
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_triggers")]
    operations = [migrations.RunSQL(KEEP, "DROP FUNCTION eqtrade_keep_actor() CASCADE")]
