"""Accounts, the rights of users in them, the tokens that let users' programs in, used codes."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models.lookups import Exact

from kernel.database import Kept

_PLAIN_CODE = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
_NOT_PLAIN = (
    "A code begins with a letter or digit and holds only letters, digits, points, hyphens and"
    " underscores."
)


class Account(models.Model):
    """A book of trades. `can_short` allows its positions to go below zero."""

    code = models.CharField(max_length=32, unique=True)
    name = models.CharField(max_length=120, blank=True)
    can_short = models.BooleanField(default=True)
    is_active = models.BooleanField(default=True)
    # 0 where no guard of `trades.guards` holds; else it is another one after each change of them. A
    # trigger keeps it (migration trades.0021).
    guards_version = models.BigIntegerField(default=0, db_default=0, editable=False)
    # Whether a limit refuses what would exceed it; kept likewise.
    is_limited = models.BooleanField(default=False, db_default=False, editable=False)
    # Whether fee schedules are charged; kept likewise (migration trades.0028).
    has_fee_schedules = models.BooleanField(default=False, db_default=False, editable=False)

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(code__regex=_PLAIN_CODE),
                name="account_code_plain",
                violation_error_message=_NOT_PLAIN,
            ),
        ]

    def __str__(self) -> str:
        return self.code


class Named(Kept):
    """What trades are told apart by beside their account: a code that stays, and a name. An
    inactive one can be named by no new trade; those that name it keep it."""

    code = models.CharField(max_length=32, unique=True)
    name = models.CharField(max_length=120, blank=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        abstract = True
        ordering = ["code"]

    def __str__(self) -> str:
        return self.code


class Strategy(Named):
    """Why a desk trades: positions and P&L are told by it, beside the account that is the book."""

    class Meta(Named.Meta):
        verbose_name_plural = "strategies"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(code__regex=_PLAIN_CODE),
                name="strategy_code_plain",
                violation_error_message=_NOT_PLAIN,
            )
        ]


class Counterparty(Named):
    """With whom a trade was done."""

    class Meta(Named.Meta):
        verbose_name_plural = "counterparties"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(code__regex=_PLAIN_CODE),
                name="counterparty_code_plain",
                violation_error_message=_NOT_PLAIN,
            )
        ]


class Entitlement(Kept):
    """What a user may do in an account. Booking and correcting need viewing. One that is taken away
    is all off, and stays."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="entitlements"
    )
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="entitlements")
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


def _length(field: str) -> models.Func:
    return models.Func(models.F(field), function="octet_length", output_field=models.IntegerField())


class Scope(models.TextChoices):
    """What a token may be used for: `read` changes nothing."""

    READ = "read"
    TRADE = "trade"


LONGEST_LIFETIME = timedelta(days=365)
LONGEST_NAME = 80


class AccessToken(models.Model):
    """Lets a program in as its user. The key itself is kept nowhere: only its hash is.

    A token holds while the user's password is the one that `password_digest` is of, so that whoever
    changes a password, by whatever way, ends all tokens with it.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="access_tokens"
    )
    digest = models.BinaryField(max_length=32, unique=True, editable=False)
    password_digest = models.BinaryField(max_length=32, editable=False)
    name = models.CharField(max_length=LONGEST_NAME, blank=True)
    scope = models.CharField(max_length=5, choices=Scope.choices)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    """Within some minutes (accounts.token_use)."""

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Exact(_length("digest"), 32) & Exact(_length("password_digest"), 32),
                name="access_token_hashed",
            ),
            models.CheckConstraint(
                condition=models.Q(scope__in=Scope.values), name="access_token_scope"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    expires_at__gt=models.F("created_at"),
                    expires_at__lte=models.F("created_at") + LONGEST_LIFETIME,
                ),
                name="access_token_lifetime",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name or 'unnamed'} of {self.user}"


class UsedCode(models.Model):
    """A code of a second factor that let its user in. It lets nobody in again while it holds."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="used_codes"
    )
    digest = models.BinaryField(max_length=32, editable=False)
    used_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "digest"], name="used_code_once")]

    def __str__(self) -> str:
        return f"code of {self.user} at {self.used_at}"
