"""The environment that settings are read from: the process's own and what a running stack lends."""

import os
from pathlib import Path

import environ

from eqtrade.up.runtime import running_environment

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / ".data"))).absolute()

# Without servers named in the environment, the stack that runs with this DATA_DIR lends its own.
STACK_FOUND = True
if "DATABASE_URL" not in os.environ:
    _stack = running_environment(DATA_DIR)
    STACK_FOUND = _stack is not None
    for _name, _value in (_stack or {}).items():
        os.environ.setdefault(_name, _value)
