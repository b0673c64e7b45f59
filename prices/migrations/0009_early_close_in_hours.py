import datetime

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('prices', '0008_price_points'),
    ]

    operations = [
        migrations.AlterField(
            model_name='sessionoverride',
            name='early_close',
            field=models.TimeField(blank=True, help_text='New York time, of 24 hours: 13:00, not 1:00.', null=True),
        ),
        # Not validated: a mistaken row of the past has done what it did, and stops no upgrade.
        AddConstraintNotValid(
            model_name='sessionoverride',
            constraint=models.CheckConstraint(condition=models.Q(('early_close__gt', datetime.time(9, 30)), ('early_close__lte', datetime.time(16, 0))), name='session_override_in_hours', violation_error_message='An early close is after 9:30 and not after 16:00, New York time; 1 p.m. is 13:00.'),
        ),
        migrations.AlterConstraint(
            model_name='sessionoverride',
            name='session_override_closed_or_early',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('early_close__isnull', True), ('is_closed', True)), models.Q(('early_close__isnull', False), ('is_closed', False)), _connector='OR'), name='session_override_closed_or_early', violation_error_message='A day is either closed or has an early close.'),
        ),
    ]
