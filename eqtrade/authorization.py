"""Who may call what: every route of ours, each of its methods, and every model in the admin.

A route that is not here is refused to everybody, and a test fails until it is. Accounts are another
matter: within what is allowed here a user sees and does what their entitlements say.
"""

from collections.abc import Mapping
from dataclasses import replace

from kernel.authorization import (
    ANYONE,
    DOCUMENTATION,
    LOGGED_IN,
    NOBODY,
    STAFF,
    Pages,
    Rule,
    Table,
    holders,
    methods,
)

OVERRIDE = "prices.override"
"""To set prices by hand: overrides and closes."""
ACTIONS = "prices.manage_actions"
"""To propose, confirm and cancel corporate actions."""
INSTRUMENTS = "prices.change_instrument"
"""To say what instruments are: their names, former tickers, whether they are active."""
GUARDS = "trades.manage_guards"
"""To say what is asked or refused before it is booked, and what the limits are."""
REVIEWS = "blotter.review_exceptions"
"""To see and review exceptions."""
SCHEDULES = "kernel.schedules"
"""To say when tasks run, and whether."""

_SETS_PRICES = holders(OVERRIDE)
_MANAGES_ACTIONS = holders(ACTIONS)
_SEES_OVERRIDES = holders("prices.view_priceoverride", OVERRIDE)
_KEEPS_INSTRUMENTS = holders(INSTRUMENTS)
_SETS_GUARDS = holders(GUARDS)
_REVIEWS = holders(REVIEWS)
_SCHEDULES = holders(SCHEDULES)

# Whether somebody may correct a trade is for their entitlements.
_CORRECTS = holders("trades.view_trade", "trades.change_trade")

_READ = methods(GET=LOGGED_IN)
_WRITE = methods(POST=LOGGED_IN)

_API: Mapping[str, Mapping[str, Rule]] = {
    "trades/": methods(GET=LOGGED_IN, POST=LOGGED_IN),
    "trades/bulk/": _WRITE,
    "trades/check/": _WRITE,
    "trades/generate/": _WRITE,
    "trades/imports/": methods(GET=LOGGED_IN, POST=LOGGED_IN),
    "trades/imports/preview/": _WRITE,
    "trades/imports/profiles/": _READ,
    "trades/imports/mappings/": _READ,
    "trades/imports/mappings/<str:name>/": methods(PUT=LOGGED_IN, DELETE=LOGGED_IN),
    "trades/imports/<uuid:import_id>/": _READ,
    "trades/imports/<uuid:import_id>/errors.csv": _READ,
    "trades/imports/<uuid:import_id>/undo/": _WRITE,
    "trades/imports/<uuid:import_id>/held/": _READ,
    "trades/imports/<uuid:import_id>/held/book/": _WRITE,
    "trades/imports/<uuid:import_id>/held/drop/": _WRITE,
    "trades/<uuid:trade_id>/": methods(GET=LOGGED_IN, PATCH=LOGGED_IN),
    "trades/<uuid:trade_id>/cancel/": _WRITE,
    "trades/<uuid:trade_id>/tags/": _WRITE,
    "trades/<uuid:trade_id>/versions/": _READ,
    "guards/": methods(GET=LOGGED_IN, PUT=_SETS_GUARDS),
    "guards/asked/": _READ,
    "limits/": methods(GET=LOGGED_IN, PUT=_SETS_GUARDS),
    "breaches/": _READ,
    "exceptions/": methods(GET=_REVIEWS),
    "exceptions/review/": methods(POST=_REVIEWS),
    "alerts/": methods(GET=LOGGED_IN, POST=LOGGED_IN),
    "alerts/fired/": _READ,
    "alerts/seen/": _WRITE,
    "alerts/<uuid:alert_id>/": methods(PUT=LOGGED_IN, DELETE=LOGGED_IN),
    "views/": methods(GET=LOGGED_IN, PUT=LOGGED_IN, DELETE=LOGGED_IN),
    "views/<uuid:view_id>/": _READ,
    "accounts/": _READ,
    "strategies/": methods(GET=LOGGED_IN, POST=holders("accounts.add_strategy")),
    "counterparties/": methods(GET=LOGGED_IN, POST=holders("accounts.add_counterparty")),
    "fees/schedules/": methods(GET=LOGGED_IN, POST=holders("trades.add_feeschedule")),
    "market/": _READ,
    "instruments/": methods(GET=LOGGED_IN, POST=holders("prices.add_instrument")),
    "prices/": _READ,
    "prices/series/": _READ,
    "prices/lines/": _READ,
    "prices/closes/": _READ,
    "prices/doubts/": _READ,
    "prices/doubts/release/": methods(POST=_SETS_PRICES),
    "prices/doubts/refuse/": methods(POST=_SETS_PRICES),
    "prices/overrides/": methods(GET=_SEES_OVERRIDES, POST=_SETS_PRICES),
    "prices/overrides/<int:override_id>/end/": methods(POST=_SETS_PRICES),
    "corporate-actions/": methods(GET=LOGGED_IN, POST=_MANAGES_ACTIONS),
    "corporate-actions/suggestions/": _READ,
    "corporate-actions/<uuid:action_id>/": methods(GET=LOGGED_IN, PATCH=_MANAGES_ACTIONS),
    "corporate-actions/<uuid:action_id>/confirm/": methods(POST=_MANAGES_ACTIONS),
    "corporate-actions/<uuid:action_id>/cancel/": methods(POST=_MANAGES_ACTIONS),
    "corporate-actions/<uuid:action_id>/versions/": _READ,
    "corporate-actions/<uuid:action_id>/effects/": _READ,
    "positions/": _READ,
    "positions/settlement/": _READ,
    "positions/snapshots/": _READ,
    "positions/snapshots/differences/": _READ,
    "pnl/": _READ,
    "pnl/intraday/": _READ,
    "pnl/realized/": _READ,
    "pnl/realized.csv": _READ,
    "pnl/realized.xlsx": _READ,
    "token/": methods(POST=ANYONE),
    "tokens/": _READ,
    "tokens/<int:token>/": methods(DELETE=LOGGED_IN),
    "system/": methods(GET=STAFF),
    "schema/": methods(GET=DOCUMENTATION),
    "docs/": methods(GET=DOCUMENTATION),
    # Everybody is told alike that there is no such address.
    "<anything:rest>": methods(
        GET=ANYONE, POST=ANYONE, PUT=ANYONE, PATCH=ANYONE, DELETE=ANYONE, TRACE=ANYONE
    ),
}

_FORM = methods(GET=ANYONE, POST=ANYONE)
_OWN_FORM = methods(GET=LOGGED_IN, POST=LOGGED_IN)
# Of the admin's own site, which sends strangers to its login page.
_ADMIN_SITE = {
    "": methods(GET=ANYONE),
    "login/": _FORM,
    "logout/": methods(POST=ANYONE),
    "password_change/": _FORM,
    "password_change/done/": methods(GET=ANYONE),
    "autocomplete/": methods(GET=ANYONE),
    "jsi18n/": methods(GET=ANYONE),
    "r/<path:content_type_id>/<path:object_id>/": methods(GET=ANYONE),
    "<app_label>/$": methods(GET=ANYONE),
    "<url>$": methods(GET=ANYONE),
    # Pages of models beyond Django's own.
    "auth/user/<id>/password/": methods(
        GET=holders("auth.change_user"), POST=holders("auth.change_user")
    ),
    "audit/record/export/csv/": methods(GET=holders("audit.view_record")),
    "trades/trade/export/csv/": methods(GET=_CORRECTS),
    "trades/trade/export/xlsx/": methods(GET=_CORRECTS),
    "blotter/pnlday/csv/": methods(GET=holders("blotter.view_pnlday")),
    "blotter/pnlday/excel/": methods(GET=holders("blotter.view_pnlday")),
}

_PAGES = {
    "": _READ,
    "bulk/": _READ,
    "prices/": _READ,
    "pnl/": _READ,
    "actions/": _READ,
    "alerts/": _READ,
    "settlement/": _READ,
    "i/<str:ticker>": _READ,
    "guards/": _READ,
    "exceptions/": _READ,
    "system/": _READ,
    "login/": _FORM,
    "logout/": methods(POST=ANYONE),
    "password/": _OWN_FORM,
    "password/done/": _READ,
    "tokens/": _OWN_FORM,
    "tokens/<int:token>/end/": _WRITE,
    "reauthenticate/": _OWN_FORM,
    "second-factor/": _READ,
    # Of who has shown their password, and is nobody yet.
    "second-factor/authenticate/": _FORM,
    "second-factor/reauthenticate/": _OWN_FORM,
    "second-factor/totp/activate/": _OWN_FORM,
    "second-factor/totp/deactivate/": _OWN_FORM,
    "second-factor/recovery-codes/": _READ,
    "second-factor/recovery-codes/generate/": _OWN_FORM,
    "oidc/<str:provider_id>/login/": methods(POST=ANYONE),
    "oidc/<str:provider_id>/login/callback/": methods(GET=ANYONE),
    "healthz": methods(GET=ANYONE),
    "readyz": methods(GET=ANYONE),
    "metrics": methods(GET=STAFF),
    "internal/staff/": methods(GET=STAFF),
}


def _own(label: str, *can: str) -> Pages:
    """By Django's own permissions of the model; what is not in `can` is for nobody."""
    app, model = label.split(".")

    def rule(action: str) -> Rule:
        return holders(f"{app}.{action}_{model}") if action in can else NOBODY

    see = holders(f"{app}.view_{model}")
    return Pages(see=see, add=rule("add"), change=rule("change"), delete=rule("delete"))


def _schedule(label: str, *, add: bool) -> Pages:
    """When, not what: no task is added, and none is lost with its schedule."""
    app, model = label.split(".")
    return Pages(
        see=holders(f"{app}.view_{model}", SCHEDULES),
        add=_SCHEDULES if add else NOBODY,
        change=_SCHEDULES,
    )


_LOOKED_AT = (
    "audit.record",
    "audit.refusal",
    "blotter.pnlday",
    "pnl.dailypnl",
    "pnl.restaterequest",
    "pnl.sessionrun",
    "positions.positionsnapshot",
    "positions.settling",
    "positions.snapshotrun",
    "prices.closerun",
    "prices.quote",
    "prices.sourcefailure",
    "prices.sourcestate",
    "trades.import",
    "trades.quarantine",
    "trades.requestgroup",
    "trades.verification",
    "trades.verificationbreak",
)

_ADMIN: Mapping[str, Pages] = {
    **{label: _own(label) for label in _LOOKED_AT},
    # As in Django, who adds users may change them. Nobody is deleted: they are switched off.
    "auth.user": replace(_own("auth.user", "change"), add=holders("auth.change_user")),
    "auth.group": _own("auth.group", "add", "change", "delete"),
    "accounts.accesstoken": _own("accounts.accesstoken", "delete"),
    # Taken from who lost theirs.
    "mfa.authenticator": _own("mfa.authenticator", "delete"),
    "socialaccount.socialaccount": _own("socialaccount.socialaccount", "delete"),
    "accounts.account": _own("accounts.account", "add", "change", "delete"),
    # One that is used no more is switched off: trades name it for ever.
    "accounts.strategy": _own("accounts.strategy", "add", "change"),
    "accounts.counterparty": _own("accounts.counterparty", "add", "change"),
    # One that holds no more is switched off: what it was is not lost.
    "accounts.entitlement": _own("accounts.entitlement", "add", "change"),
    "prices.instrument": _own("prices.instrument", "add", "change", "delete"),
    # A former ticker is a part of what its instrument is.
    "prices.instrumentalias": Pages(
        see=holders("prices.view_instrument", INSTRUMENTS),
        add=_KEEPS_INSTRUMENTS,
        change=_KEEPS_INSTRUMENTS,
        delete=_KEEPS_INSTRUMENTS,
    ),
    "prices.corporateaction": Pages(
        see=holders("prices.view_corporateaction", ACTIONS), change=_MANAGES_ACTIONS
    ),
    "prices.closedoubt": Pages(
        see=holders("prices.view_closedoubt", OVERRIDE), change=_SETS_PRICES
    ),
    "prices.sessionoverride": _own("prices.sessionoverride", "add", "change", "delete"),
    "prices.settlementoverride": _own("prices.settlementoverride", "add", "change", "delete"),
    "prices.priceoverride": Pages(see=_SEES_OVERRIDES, add=_SETS_PRICES, change=_SETS_PRICES),
    "prices.close": Pages(see=holders("prices.view_close", OVERRIDE), add=_SETS_PRICES),
    # One that holds no more is switched off: what it was is not lost.
    "trades.guard": Pages(
        see=holders("trades.view_guard", GUARDS), add=_SETS_GUARDS, change=_SETS_GUARDS
    ),
    "trades.limit": Pages(
        see=holders("trades.view_limit", GUARDS), add=_SETS_GUARDS, change=_SETS_GUARDS
    ),
    "trades.accountgroup": Pages(
        see=holders("trades.view_accountgroup", GUARDS), add=_SETS_GUARDS, change=_SETS_GUARDS
    ),
    # A rate that holds no more is followed by a later one.
    "trades.feeschedule": _own("trades.feeschedule", "add", "change"),
    "trades.breach": _own("trades.breach"),
    "trades.trade": Pages(see=_CORRECTS, change=_CORRECTS),
    "django_celery_beat.periodictask": _schedule("django_celery_beat.periodictask", add=False),
    "django_celery_beat.intervalschedule": _schedule(
        "django_celery_beat.intervalschedule", add=True
    ),
    "django_celery_beat.crontabschedule": _schedule("django_celery_beat.crontabschedule", add=True),
    "django_celery_beat.clockedschedule": _schedule("django_celery_beat.clockedschedule", add=True),
    "django_celery_beat.solarschedule": _schedule("django_celery_beat.solarschedule", add=True),
}

TABLE = Table(
    routes={
        **{f"api/v1/{route}": row for route, row in _API.items()},
        **{f"admin/{route}": row for route, row in _ADMIN_SITE.items()},
        **_PAGES,
    },
    admin=_ADMIN,
    sockets={"ws/v1/blotter/": LOGGED_IN},
)
