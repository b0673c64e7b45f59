"""Instruments that some account holds."""

from datetime import datetime

from positions.models import Position


def held_instruments(now: datetime) -> set[int]:
    """Ids of the instruments of which some account holds something."""
    held = Position.objects.exclude(quantity=0).values_list("instrument_id", flat=True)
    return set(held.distinct())
