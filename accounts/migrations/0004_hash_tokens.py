from django.db import migrations

# Keys of 160 random bits need no slow hash, like those that come after them. The table is emptied,
# not dropped: processes of the version before then answer 401 until they are replaced.
HASH = """
DO $$
BEGIN
    IF to_regclass('authtoken_token') IS NOT NULL THEN
        INSERT INTO accounts_accesstoken
               (user_id, digest, password_digest, name, scope, created_at, expires_at)
        SELECT t.user_id, sha256(convert_to(t.key, 'UTF8')),
               sha256(convert_to(u.password, 'UTF8')), 'from before tokens expired', 'trade',
               now(), now() + interval '90 days'
          FROM authtoken_token t JOIN auth_user u ON u.id = t.user_id;
        TRUNCATE authtoken_token;
    END IF;
END
$$
"""


def schedule(apps, schema_editor):
    """Once a night, New York time, when nobody trades."""
    crontab, _ = apps.get_model("django_celery_beat", "CrontabSchedule").objects.get_or_create(
        minute="45", hour="3", day_of_week="*", day_of_month="*", month_of_year="*",
        timezone="America/New_York",
    )
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(
        name="Expired logins",
        defaults={
            "task": "accounts.tasks.credentials_tidy",
            "crontab": crontab,
            "queue": "default",
            "expire_seconds": 3600,
            "description": "Deletes tokens and sessions that let nobody in any more.",
        },
    )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_access_tokens"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    # Keys cannot be read back: who goes back to the version before asks for new tokens.
    operations = [
        migrations.RunSQL(HASH, migrations.RunSQL.noop),
        migrations.RunPython(schedule, migrations.RunPython.noop),
    ]
