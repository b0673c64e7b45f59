"""The settings of the project, with the other ways of reading beside its own addresses."""

from eqtrade.settings import *  # noqa: F403 - all of them

ROOT_URLCONF = "benchmarks.designs.urls"
# Else what is not in the table is refused.
AUTHORIZATION = "benchmarks.designs.authorization.TABLE"
