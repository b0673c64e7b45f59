from django.db import migrations, models
from django.db.models import Q

# Which source's run carried a close is known from the runs: it was settled at that moment. A close
# without any run counts for no source.
FILL = """
    ALTER TABLE prices_close DISABLE TRIGGER USER;
    UPDATE prices_close c
       SET carried_for = coalesce((
            SELECT r.source FROM prices_closerun r
             WHERE r.session = c.session AND r.settled_at IS NOT NULL
             ORDER BY abs(extract(epoch FROM r.settled_at - c.recorded_at)), r.source
             LIMIT 1), 'unknown')
     WHERE c.source = 'carried';
    ALTER TABLE prices_close ENABLE TRIGGER USER;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('prices', '0009_early_close_in_hours'),
    ]

    operations = [
        migrations.AddField(
            model_name='close',
            name='carried_for',
            field=models.CharField(blank=True, db_default='', editable=False, max_length=16),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name='close',
            constraint=models.CheckConstraint(
                condition=Q(Q(('source', 'carried'), Q(('carried_for', ''), _negated=True)), Q(Q(('source', 'carried'), _negated=True), ('carried_for', '')), _connector='OR'),
                name='close_carried_for_a_source',
            ),
        ),
    ]
