"""The tables whose changes triggers record, and what of their rows."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Audited:
    """`event` begins the names of its events: entitlement.created, .changed, .deleted.

    `named` is SQL for what a row is called, of `$1`, the row. `masked` columns are secrets: that
    they changed is recorded, never what they are. `ignored` columns change without anybody's
    doing; a change of these alone is none."""

    event: str
    named: str
    masked: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


_USER = "(SELECT username FROM auth_user WHERE id = $1.user_id)"
_GROUP = "(SELECT name FROM auth_group WHERE id = $1.group_id)"
_ACCOUNT = "(SELECT code FROM accounts_account WHERE id = $1.account_id)"
_ACCOUNTS = "(SELECT name FROM trades_accountgroup WHERE id = $1.group_id)"
_FEES = "(SELECT name FROM trades_feeschedule WHERE id = $1.schedule_id)"
_TICKER = "(SELECT ticker FROM prices_instrument WHERE id = $1.instrument_id)"
_RIGHT = (
    "(SELECT t.app_label || '.' || p.codename FROM auth_permission p"
    " JOIN django_content_type t ON t.id = p.content_type_id WHERE p.id = $1.permission_id)"
)

AUDITED = {
    "auth_user": Audited("user", "$1.username", masked=("password",), ignored=("last_login",)),
    "auth_group": Audited("group", "$1.name"),
    "auth_user_groups": Audited("membership", f"concat_ws(' in ', {_USER}, {_GROUP})"),
    "auth_user_user_permissions": Audited(
        "user_permission", f"concat_ws(' to ', {_RIGHT}, {_USER})"
    ),
    "auth_group_permissions": Audited("group_permission", f"concat_ws(' to ', {_RIGHT}, {_GROUP})"),
    "accounts_account": Audited(
        "account", "$1.code", ignored=("guards_version", "is_limited", "has_fee_schedules")
    ),
    "accounts_strategy": Audited("strategy", "$1.code"),
    "accounts_counterparty": Audited("counterparty", "$1.code"),
    "accounts_entitlement": Audited("entitlement", f"concat_ws(' in ', {_USER}, {_ACCOUNT})"),
    # A token's use is no change of it.
    "accounts_accesstoken": Audited(
        "token",
        f"concat_ws(' of ', nullif($1.name, ''), {_USER})",
        masked=("digest", "password_digest"),
        ignored=("last_used_at",),
    ),
    # A code to recover with that was used is a change of what is masked.
    "mfa_authenticator": Audited(
        "second_factor",
        f"concat_ws(' of ', $1.type, {_USER})",
        masked=("data",),
        ignored=("last_used_at",),
    ),
    "socialaccount_socialaccount": Audited(
        "identity",
        f"concat_ws(' as ', $1.uid, {_USER})",
        masked=("extra_data",),
        ignored=("extra_data", "last_login"),
    ),
    "prices_instrument": Audited("instrument", "$1.ticker"),
    "prices_instrumentalias": Audited(
        "instrument_alias", f"concat_ws(' of ', $1.ticker, {_TICKER})"
    ),
    "prices_priceoverride": Audited("override", _TICKER),
    "prices_sessionoverride": Audited("session_override", "$1.date"),
    "prices_settlementoverride": Audited("settlement_override", "$1.date"),
    "trades_guard": Audited(
        "guard",
        f"concat_ws(' for ', $1.code, coalesce({_ACCOUNT}, 'all accounts'))",
        ignored=("version", "changed_at", "changed_by_id"),
    ),
    "trades_limit": Audited(
        "limit",
        f"concat_ws(' of ', $1.kind, {_ACCOUNT}, {_ACCOUNTS})",
        ignored=("version", "changed_at", "changed_by_id"),
    ),
    "blotter_savedview": Audited(
        "view", f"concat_ws(' of ', $1.name, {_USER})", ignored=("saved_at",)
    ),
    "trades_feeschedule": Audited(
        "fee_schedule", "concat_ws(' ', $1.name, $1.kind, $1.side, 'from', $1.valid_from)"
    ),
    "trades_accountfeeschedule": Audited(
        "charged_account", f"concat_ws(' in ', {_FEES}, {_ACCOUNT})"
    ),
    "trades_accountgroup": Audited("account_group", "$1.name"),
    "django_celery_beat_periodictask": Audited(
        "schedule", "$1.name", ignored=("last_run_at", "total_run_count", "date_changed")
    ),
    "django_celery_beat_intervalschedule": Audited("interval", "$1.every || ' ' || $1.period"),
    "django_celery_beat_crontabschedule": Audited(
        "crontab",
        "concat_ws(' ', $1.minute, $1.hour, $1.day_of_month, $1.month_of_year, $1.day_of_week,"
        " $1.timezone)",
    ),
    "django_celery_beat_solarschedule": Audited("solar", "$1.event"),
    "django_celery_beat_clockedschedule": Audited("clocked", "$1.clocked_time"),
}
