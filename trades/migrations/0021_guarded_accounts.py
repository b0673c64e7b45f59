"""An account says itself whether guards hold in it, so that a booking need not ask.

`guards_version` is 0 where none does, else a number that no other state of its guards had. Triggers
keep it: one on guards, whoever changes them, and one on accounts, whatever is saved over it. Changes
of guards wait for each other (the number is that of Lock.GUARDS_WRITE); accounts are locked in the
order of their ids, as bookings lock them.
"""

from django.db import migrations

CREATE = """
CREATE SEQUENCE trades_guards_version;

CREATE FUNCTION eqtrade_is_guarded(account bigint) RETURNS boolean
LANGUAGE sql VOLATILE AS $$
    SELECT EXISTS (
        SELECT FROM trades_guard g
         WHERE g.is_active
           AND (g.account_id = account OR g.account_id IS NULL AND NOT EXISTS (
                SELECT FROM trades_guard own WHERE own.account_id = account AND own.code = g.code)))
$$;

CREATE FUNCTION eqtrade_account_guarded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.guards_version :=
        CASE WHEN eqtrade_is_guarded(NEW.id) THEN nextval('trades_guards_version') ELSE 0 END;
    NEW.is_limited := EXISTS (
        SELECT FROM trades_limit
         WHERE account_id = NEW.id AND is_active AND mode = 'refuse');
    RETURN NEW;
END
$$;
CREATE TRIGGER eqtrade_guarded BEFORE INSERT OR UPDATE ON accounts_account
    FOR EACH ROW EXECUTE FUNCTION eqtrade_account_guarded();

CREATE FUNCTION eqtrade_guards_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7205061);
    PERFORM FROM accounts_account ORDER BY id FOR NO KEY UPDATE;
    UPDATE accounts_account a SET guards_version = 0
     WHERE guards_version <> 0 OR is_limited OR eqtrade_is_guarded(id)
        OR EXISTS (SELECT FROM trades_limit l WHERE l.account_id = a.id AND l.mode = 'refuse');
    RETURN NULL;
END
$$;
CREATE TRIGGER eqtrade_guards_changed AFTER INSERT OR UPDATE OR DELETE ON trades_guard
    FOR EACH STATEMENT EXECUTE FUNCTION eqtrade_guards_changed();
CREATE TRIGGER eqtrade_guards_changed AFTER INSERT OR UPDATE OR DELETE ON trades_limit
    FOR EACH STATEMENT EXECUTE FUNCTION eqtrade_guards_changed();
"""
DROP = """
DROP TRIGGER eqtrade_guards_changed ON trades_limit;
DROP TRIGGER eqtrade_guards_changed ON trades_guard;
DROP TRIGGER eqtrade_guarded ON accounts_account;
DROP FUNCTION eqtrade_guards_changed();
DROP FUNCTION eqtrade_account_guarded();
DROP FUNCTION eqtrade_is_guarded(bigint);
DROP SEQUENCE trades_guards_version;
"""


def grant(apps, schema_editor):
    """Who sets prices by hand, middle office, sets guards."""
    ContentType = apps.get_model("contenttypes", "ContentType")
    Permission = apps.get_model("auth", "Permission")
    kind, _ = ContentType.objects.get_or_create(app_label="trades", model="guard")
    manage, _ = Permission.objects.get_or_create(
        content_type=kind,
        codename="manage_guards",
        defaults={"name": "May set guards and limits"},
    )
    for had in Permission.objects.filter(
        content_type__app_label="prices", codename="override"
    ):
        manage.user_set.add(*had.user_set.all())
        manage.group_set.add(*had.group_set.all())


class Migration(migrations.Migration):
    dependencies = [
        ("trades", "0020_guards"),
        ("accounts", "0009_guards_version"),
        ("prices", "0013_override_permission"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [
        migrations.RunSQL(CREATE, DROP),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
