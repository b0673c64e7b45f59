"""Decimals in templates: exact, in plain notation. Django's own filters go through floats."""

from decimal import Decimal

from django import template

from kernel.money import normalized

register = template.Library()


@register.filter
def plain(value: Decimal | None) -> str:
    """All digits that there are, none that there are not; nothing for None."""
    return "" if value is None else normalized(value)
