from django.db import migrations, models
from django.utils import timezone


class Migration(migrations.Migration):
    """Nothing has filled the table of costs before; the defaults are for no row."""

    dependencies = [("pnl", "0003_intraday_append_only")]

    operations = [
        migrations.AddField(
            model_name="cost",
            name="last_executed_at",
            field=models.DateTimeField(default=timezone.now),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="cost",
            name="last_trade_date",
            field=models.DateField(default=timezone.now),
            preserve_default=False,
        ),
    ]
