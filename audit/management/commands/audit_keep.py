"""Keep the record's months: make those ahead, mask old addresses, drop what is too old.

Run as the owner, after each migrate and once a month; running again is safe.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from audit.months import addresses_mask, months_drop, months_make
from kernel import clock

MONTHS_AHEAD = 24


class Command(BaseCommand):
    help = "Make the audit record's months, mask old addresses and drop old months (as the owner)."

    def handle(self, *args: Any, **options: Any) -> None:
        today = clock.now().date()
        made = months_make(today.replace(day=1), MONTHS_AHEAD)
        masked = addresses_mask(today - timedelta(days=settings.AUDIT_ADDRESS_DAYS))
        dropped = months_drop(today - timedelta(days=settings.AUDIT_KEEP_DAYS))
        self.stdout.write(
            f"audit: {len(made)} months made, {masked} addresses masked,"
            f" {len(dropped)} months dropped"
        )
