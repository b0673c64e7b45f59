"""Column types that Django does not have."""

from decimal import Decimal
from typing import Any

from django.core import checks
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


class NumericField(models.DecimalField[Any, Any]):
    """`numeric` without precision: exact sums that no legal input can overflow."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "max_digits": None, "decimal_places": None})

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("max_digits", None)
        kwargs.pop("decimal_places", None)
        return name, path, args, kwargs

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        # DecimalField's own checks demand the precision that this field is there to leave out.
        return models.Field.check(self, **kwargs)

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "numeric"

    def to_python(self, value: Any) -> Decimal | None:
        return None if value is None else Decimal(str(value))

    def get_db_prep_value(
        self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False
    ) -> Any:
        return value if prepared else self.get_prep_value(value)

    def get_db_prep_save(self, value: Any, connection: BaseDatabaseWrapper) -> Any:
        if hasattr(value, "as_sql"):
            return value
        return self.get_db_prep_value(value, connection)

    @property
    def validators(self) -> list[Any]:
        return list(self.default_validators)


class DecimalsNeeded(models.Func):
    """How many decimals it takes to write a number; trailing zeros do not count."""

    function = "min_scale"
    output_field = models.IntegerField()


class Xid8Field(models.Field[Any, Any]):
    """PostgreSQL's 64-bit transaction id. It reaches Python as text and is compared only in SQL."""

    description = "PostgreSQL xid8"

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "xid8"
