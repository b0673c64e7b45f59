"""The triggers that record changes of users, accounts, instruments, overrides and schedules; and
the second lock on the admin's own log, behind the runtime role's rights."""

from django.db import migrations

from audit import triggers


LOCK = """
CREATE FUNCTION eqtrade_append_only() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION 'eqtrade: % is append-only', TG_TABLE_NAME;
END
$body$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON django_admin_log
    FOR EACH ROW EXECUTE FUNCTION eqtrade_append_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON django_admin_log
    FOR EACH STATEMENT EXECUTE FUNCTION eqtrade_append_only();
"""


def install(apps, schema_editor):
    triggers.install(schema_editor)


def remove(apps, schema_editor):
    triggers.remove(schema_editor)


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0001_initial"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("accounts", "0001_initial"),
        ("prices", "0001_initial"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [
        migrations.RunPython(install, remove),
        migrations.RunSQL(LOCK, "DROP FUNCTION eqtrade_append_only() CASCADE"),
    ]
