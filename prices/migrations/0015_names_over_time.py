"""Former tickers with their dates, and since when an instrument is inactive. That a ticker means one
instrument a day is a constraint; it needs the extension btree_gist, which PostgreSQL lets the owner
of a database create."""

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
from django.contrib.postgres.operations import BtreeGistExtension
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('prices', '0014_keep_what_is_referred_to'),
    ]

    operations = [
        BtreeGistExtension(),
        migrations.CreateModel(
            name='InstrumentAlias',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ticker', models.CharField(max_length=16)),
                ('first', models.DateField(blank=True, help_text='Left empty: ever since.', null=True)),
                ('last', models.DateField()),
            ],
            options={
                'verbose_name_plural': 'instrument aliases',
                'ordering': ['ticker', 'last'],
            },
        ),
        migrations.AddField(
            model_name='instrument',
            name='inactive_since',
            field=models.DateField(blank=True, help_text='The first date on which it is listed no more: trades dated before are booked.', null=True),
        ),
        migrations.AddConstraint(
            model_name='instrument',
            constraint=models.CheckConstraint(condition=models.Q(('inactive_since__isnull', True), ('is_active', False), _connector='OR'), name='instrument_inactive_since', violation_error_message='One that is active is not inactive since a date.'),
        ),
        migrations.AddField(
            model_name='instrumentalias',
            name='instrument',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='aliases', to='prices.instrument'),
        ),
        migrations.AddConstraint(
            model_name='instrumentalias',
            constraint=models.CheckConstraint(condition=models.Q(('ticker__regex', '^[A-Z0-9][A-Z0-9.-]*$')), name='alias_ticker_plain'),
        ),
        migrations.AddConstraint(
            model_name='instrumentalias',
            constraint=models.CheckConstraint(condition=models.Q(('first__isnull', True), ('first__lte', models.F('last')), _connector='OR'), name='alias_first_not_after_last', violation_error_message='The first date is not after the last.'),
        ),
        migrations.AddConstraint(
            model_name='instrumentalias',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(expressions=[('ticker', '='), (models.Func('first', 'last', models.Value('[]'), function='daterange', output_field=django.contrib.postgres.fields.ranges.DateRangeField()), '&&')], name='alias_means_one_a_day', violation_error_message='On some of these dates the ticker has another meaning.'),
        ),
    ]
