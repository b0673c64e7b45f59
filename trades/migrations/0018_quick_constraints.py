from typing import Any

from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models, transaction
from django.db.models import Q, Value
from django.db.models.functions import Cast
from django.db.models.lookups import LessThanOrEqual

from kernel.fields import DecimalsNeeded, NumericField

ZERO = Cast(Value("0"), NumericField())
MOST = Cast(Value("1000000000"), NumericField())


class Replace(AddConstraintNotValid):
    """The constraint of this name says the same in other words. In one transaction, so that it can
    be done again after it was cut off."""

    def state_forwards(self, app_label: str, state: Any) -> None:
        state.remove_constraint(app_label, self.model_name_lower, self.constraint.name)
        super().state_forwards(app_label, state)

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        self._replace(app_label, schema_editor, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        self._replace(app_label, schema_editor, to_state)

    def _replace(self, app_label: str, schema_editor: Any, to_state: Any) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        found = to_state.models[app_label, self.model_name_lower]
        constraint = found.get_constraint_by_name(self.constraint.name)
        with transaction.atomic(schema_editor.connection.alias):
            schema_editor.execute(constraint.remove_sql(model, schema_editor))
            added = constraint.create_sql(model, schema_editor)
            schema_editor.execute(f"{added} NOT VALID", params=None)


def of_terms(model: str, prefix: str) -> list[Replace]:
    conditions = {
        "quantity_range": Q(quantity__gt=ZERO)
        & Q(quantity__lte=MOST)
        & Q(LessThanOrEqual(DecimalsNeeded("quantity"), 10)),
        "price_range": (Q(price__gt=ZERO) | Q(price=ZERO) & ~Q(note=""))
        & Q(price__lte=MOST)
        & Q(LessThanOrEqual(DecimalsNeeded("price"), 10)),
        "side_known": Q(side="buy") | Q(side="sell"),
        "status_known": Q(status="booked") | Q(status="amended") | Q(status="cancelled"),
    }
    return [
        Replace(model, models.CheckConstraint(condition=condition, name=f"{prefix}_{name}"))
        for name, condition in conditions.items()
    ]


OF_ENTRIES = [
    Replace(
        "ledgerentry",
        models.CheckConstraint(
            condition=Q(quantity__gt=ZERO, notional__gte=ZERO)
            | Q(quantity__lt=ZERO, notional__lte=ZERO),
            name="entry_signed_alike",
        ),
    ),
    Replace(
        "ledgerentry",
        models.CheckConstraint(condition=Q(trades=1) | Q(trades=-1), name="entry_counts_one"),
    ),
]
REPLACED = [*of_terms("trade", "trade"), *of_terms("tradeversion", "version"), *OF_ENTRIES]


class Migration(migrations.Migration):
    """A statement makes the constraints of its tables ready before it writes: what it would have to
    compute for that is written out. Tables are read once more, and nobody is locked out."""

    atomic = False
    dependencies = [("trades", "0017_readings")]
    operations = [
        *REPLACED,
        *(ValidateConstraint(each.model_name, each.constraint.name) for each in REPLACED),
    ]
