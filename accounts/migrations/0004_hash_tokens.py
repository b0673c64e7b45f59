from django.db import migrations

from kernel.schedules import nightly_task

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


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_access_tokens"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    # Keys cannot be read back: who goes back to the version before asks for new tokens.
    operations = [
        migrations.RunSQL(HASH, migrations.RunSQL.noop),
        nightly_task(
            "Expired logins",
            "accounts.tasks.credentials_tidy",
            at="03:45",
            description="Deletes tokens and sessions that let nobody in any more.",
        ),
    ]
