from datetime import timedelta

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

from prices.sessions.calendar import FIRST_DAY, LAST_DAY, published_calendar
from prices.sessions.settlement import settlement_day


def fill(apps, schema_editor):
    """Days of the published calendars, by which entries settle that do not say when."""
    calendar = published_calendar()
    days = (FIRST_DAY + timedelta(n) for n in range((LAST_DAY - FIRST_DAY).days + 1))
    rows = [(day, settlement_day(day, calendar, {})) for day in days]
    known = [(str(day), str(settles)) for day, settles in rows if settles is not None]
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO prices_settlementday (trade_date, settles_on)"
            " SELECT * FROM unnest(%s::date[], %s::date[])",
            [[day for day, _ in known], [settles for _, settles in known]],
        )


class Migration(migrations.Migration):

    dependencies = [
        ('prices', '0019_action_events'),
    ]

    operations = [
        migrations.CreateModel(
            name='SettlementDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('trade_date', models.DateField(unique=True)),
                ('settles_on', models.DateField()),
            ],
        ),
        migrations.CreateModel(
            name='SettlementOverride',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('date', models.DateField(unique=True)),
                ('settles', models.BooleanField(default=False)),
                ('reason', models.CharField(max_length=200)),
            ],
            options={
                'ordering': ['-date'],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='settlementday',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='73adda774fa751d9e7b0833f79c14828e22c575b', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_32f06', table='prices_settlementday', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='settlementday',
            trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'eqtrade: % is append-only', TG_TABLE_NAME;", hash='175dbe9009b0af4250b7246821b871a8f1d39147', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_5c6f6', table='prices_settlementday', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='settlementoverride',
            trigger=pgtrigger.compiler.Trigger(name='restamp', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO prices_calendarstamp (id, stamp) VALUES (1, gen_random_uuid()) ON CONFLICT (id) DO UPDATE SET stamp = excluded.stamp; RETURN NULL;', hash='6abfcff9a53792802ee4ba8fb16f09ef7dcdc1ac', level='STATEMENT', operation='INSERT OR UPDATE OR DELETE OR TRUNCATE', pgid='pgtrigger_restamp_15963', table='prices_settlementoverride', when='AFTER')),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
