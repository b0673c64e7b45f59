import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models
from django.db.models import PROTECT, Q, Value
from django.db.models.functions import Cast
from django.db.models.lookups import LessThanOrEqual

from kernel.fields import DecimalsNeeded, NumericField

AT_ONCE = "SET LOCAL lock_timeout = '5s'"
KINDS = ("commission", "regulatory", "exchange", "clearing", "tax", "other")
SOURCES = ("entered", "schedule", "external")
MOST, LEAST = (Cast(Value(text), NumericField()) for text in ("1000000000", "-1000000000"))


def one_of(name: str, values: tuple[str, ...]) -> Q:
    return Q(*((name, value) for value in values), _connector=Q.OR)


class Migration(migrations.Migration):
    dependencies = [("trades", "0024_fees_of_entries")]
    operations = [
        migrations.RunSQL(AT_ONCE, migrations.RunSQL.noop),
        migrations.CreateModel(
            "VersionFee",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "trade",
                    models.ForeignKey(
                        "trades.trade", on_delete=PROTECT, related_name="+", db_index=False
                    ),
                ),
                ("version", models.PositiveIntegerField()),
                (
                    "kind",
                    models.CharField(max_length=10, choices=[(kind, kind) for kind in KINDS]),
                ),
                ("amount", NumericField()),
                (
                    "source",
                    models.CharField(max_length=8, choices=[(each, each) for each in SOURCES]),
                ),
            ],
            options={
                "ordering": ["trade_id", "version", "id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=["trade", "version", "kind"], name="version_fee_once"
                    ),
                    models.CheckConstraint(
                        condition=Q(amount__gte=LEAST, amount__lte=MOST)
                        & Q(LessThanOrEqual(DecimalsNeeded("amount"), 6)),
                        name="version_fee_range",
                    ),
                    models.CheckConstraint(condition=one_of("kind", KINDS), name="version_fee_kind"),
                    models.CheckConstraint(
                        condition=one_of("source", SOURCES), name="version_fee_source"
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            "versionfee",
            pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table',"
                    " TG_TABLE_NAME;",
                    hash="64093a4944a96205562cd03d778dd43ed2531818",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_3e918",
                    table="trades_versionfee",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            "versionfee",
            pgtrigger.compiler.Trigger(
                name="no_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'eqtrade: % is append-only', TG_TABLE_NAME;",
                    hash="dd099d6645fb4583c9df1aac60448c15b218db49",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_no_truncate_2df0c",
                    table="trades_versionfee",
                    when="BEFORE",
                ),
            ),
        ),
    ]
