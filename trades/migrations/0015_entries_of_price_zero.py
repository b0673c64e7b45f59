from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """What is given away or worthless has a notional of 0."""

    dependencies = [("trades", "0014_ten_decimals_of_versions")]
    operations = [
        migrations.RemoveConstraint("ledgerentry", "entry_signed_alike"),
        AddConstraintNotValid(
            "ledgerentry",
            models.CheckConstraint(
                condition=Q(quantity__gt=0, notional__gte=0) | Q(quantity__lt=0, notional__lte=0),
                name="entry_signed_alike",
            ),
        ),
    ]
