"""Loaded by pytest before Django's settings: the tests' own environment, and nobody else's.

The servers are started later, by fixtures; until then these addresses lead nowhere.
"""

import os

for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "CELERY_BROKER_URL", "DATA_DIR",
             "PRICE_SOURCE", "PRICE_FILE", "PRICE_SEED", "PRICE_STREAM", "DB_POOL", "DEBUG", "PORT",
             "SEED",
             "DEMO_PASSWORD", "EQTRADE_LOCAL_STACK"):  # fmt: skip
    os.environ.pop(name, None)

os.environ.update(
    {
        "EQTRADE_TESTING": "1",
        "SECRET_KEY": "a-key-of-the-tests",
        "DATABASE_URL": "postgres://nobody@/not-started?host=/nonexistent",
        "REDIS_URL": "unix:///nonexistent/valkey.sock?db=0",
        "ALLOWED_HOSTS": "testserver,127.0.0.1,localhost",
        "LOG_LEVEL": "WARNING",
    }
)
