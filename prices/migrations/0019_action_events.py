import django.db.models.deletion
import kernel.database
import kernel.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('prices', '0018_corporate_actions'),
    ]

    operations = [
        migrations.CreateModel(
            name='ActionEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(max_length=16)),
                ('ex_date', models.DateField()),
                ('kind', models.CharField(choices=[('split', 'Split'), ('dividend', 'Dividend')], max_length=8)),
                ('value', kernel.fields.NumericField(help_text='New shares for one old, or cash for one share of then')),
                ('seen_at', models.DateTimeField(db_default=kernel.database.RecordedAt(), editable=False)),
                ('instrument', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='prices.instrument')),
            ],
            options={
                'ordering': ['-ex_date', 'instrument__ticker'],
                'constraints': [models.UniqueConstraint(fields=('instrument', 'ex_date', 'kind', 'source'), name='action_event_once'), models.CheckConstraint(condition=models.Q(('value__gt', 0)), name='action_event_positive')],
            },
        ),
    ]
