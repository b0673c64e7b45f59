"""The environment of everything in the stack that runs our own code."""

from collections.abc import Mapping

from eqtrade.up.layout import Layout
from eqtrade.up.options import Options
from eqtrade.up.servers import Servers

PUBLISHED = (
    *("SECRET_KEY", "ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "STATIC_ROOT", "PRICE_SOURCE"),
    *("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "EQTRADE_LOCAL_STACK", "DEMO_PASSWORD"),
)
"""What manage.py needs of it in another terminal."""


def application_environment(
    options: Options,
    layout: Layout,
    servers: Servers,
    secret_key: str,
    user: Mapping[str, str],
) -> dict[str, str]:
    """The user's environment with ours; where the two differ over a mere default, the user's."""
    origins = (f"http://{host}:{options.port}" for host in ("127.0.0.1", "localhost"))
    environment = {
        "SECRET_KEY": secret_key,
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "CSRF_TRUSTED_ORIGINS": ",".join(origins),
        "STATIC_ROOT": str(layout.static),
        "PRICE_SOURCE": "simulated",
        **{name: value for name, value in user.items() if value},
        "DATA_DIR": str(layout.data_dir),
        "DATABASE_URL": servers.database_url,
        "REDIS_URL": servers.redis_url,
        "DJANGO_SETTINGS_MODULE": "eqtrade.settings",
        "DEMO_PASSWORD": options.demo_password,
        "PYTHONUNBUFFERED": "1",
    }
    # Only migrations run as the owner; and only what we may seed is a local stack.
    environment.pop("DATABASE_OWNER_URL", None)
    environment.pop("EQTRADE_LOCAL_STACK", None)
    if options.seed is not None:
        environment["EQTRADE_LOCAL_STACK"] = "1"
    return environment


def published(environment: Mapping[str, str], servers: Servers) -> dict[str, str]:
    """The part that manage.py finds while the stack runs, with the owner's URL for migrations."""
    known = {name: environment[name] for name in PUBLISHED if name in environment}
    return known | {"DATABASE_OWNER_URL": servers.database_owner_url}
