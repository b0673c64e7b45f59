"""Accounts, and the rights of users in them."""

from django.conf import settings
from django.db import models


class Account(models.Model):
    """A book of trades. `can_short` allows its positions to go below zero."""

    code = models.CharField(max_length=32, unique=True)
    name = models.CharField(max_length=120, blank=True)
    can_short = models.BooleanField(default=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(code__regex=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"),
                name="account_code_plain",
                violation_error_message="A code begins with a letter or digit and holds only"
                " letters, digits, points, hyphens and underscores.",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class Entitlement(models.Model):
    """What a user may do in an account. Booking and correcting need viewing."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="entitlements"
    )
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="entitlements")
    can_view = models.BooleanField(default=True)
    can_book = models.BooleanField(default=False)
    can_correct = models.BooleanField(default=False)

    class Meta:
        ordering = ["user_id", "account_id"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "account"],
                name="entitlement_once",
                violation_error_message="This user has rights in this account already: change"
                " those.",
            ),
            models.CheckConstraint(
                condition=models.Q(can_view=True) | models.Q(can_book=False, can_correct=False),
                name="entitlement_view_first",
                violation_error_message="Who may book or correct in an account must be able to"
                " view it.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.account}"
