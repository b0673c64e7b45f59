import django.db.models.deletion
import kernel.database
import kernel.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0001_initial'),
        ('pnl', '0010_watch_limits'),
        ('prices', '0018_corporate_actions'),
    ]

    operations = [
        migrations.AddField(
            model_name='accountpnl',
            name='action_pnl',
            field=kernel.fields.NumericField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name='dailypnl',
            name='action_pnl',
            field=kernel.fields.NumericField(db_default=0, default=0, null=True),
        ),
        migrations.AddField(
            model_name='dailypnl',
            name='previous_close_as_traded',
            field=kernel.fields.NumericField(null=True),
        ),
        migrations.AlterField(
            model_name='restaterequest',
            name='reason',
            field=models.CharField(choices=[('entry', 'Entry'), ('close', 'Close'), ('rebuild', 'Rebuild'), ('action', 'Action')], max_length=8),
        ),
        migrations.CreateModel(
            name='ActionLeg',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ex_date', models.DateField()),
                ('held', kernel.fields.NumericField()),
                ('quantity', kernel.fields.NumericField()),
                ('fraction', kernel.fields.NumericField()),
                ('cash', kernel.fields.NumericField()),
                ('unpaid', kernel.fields.NumericField()),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.account')),
                ('action', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='prices.corporateaction')),
                ('instrument', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='prices.instrument')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('quantity', 0), _negated=True), fields=['instrument', 'account'], name='action_leg_moves'), models.Index(fields=['ex_date', 'account'], name='action_leg_of_day'), models.Index(fields=['action', 'account'], name='action_leg_of_action')],
                'constraints': [models.UniqueConstraint(fields=('account', 'action', 'instrument'), name='action_leg_key')],
            },
        ),
        migrations.CreateModel(
            name='AppliedAction',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('shard', models.SmallIntegerField()),
                ('version', models.PositiveIntegerField()),
                ('action', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='prices.corporateaction')),
            ],
            options={
                'indexes': [models.Index(fields=['shard', 'id'], name='applied_action_last')],
                'constraints': [models.UniqueConstraint(fields=('shard', 'action'), name='applied_action_once'), models.CheckConstraint(condition=models.Q(('shard__gte', 0), ('shard__lt', 16)), name='applied_action_shard')],
            },
        ),
        migrations.CreateModel(
            name='ActionWork',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('shard', models.SmallIntegerField()),
                ('asked_at', models.DateTimeField(db_default=kernel.database.RecordedAt(), editable=False)),
                ('instrument', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='prices.instrument')),
            ],
            options={
                'ordering': ['id'],
                'indexes': [models.Index(fields=['shard', 'instrument'], name='action_work_of_shard')],
            },
        ),
    ]
