#!/bin/sh
# Says which Python makes .venv and runs what `make` is told to: PYTHON where it is set, else the
# newest that is there of those that the system is tried on. Fails in one sentence without one.
set -eu

usable='import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'

for python in ${PYTHON:+"$PYTHON"} ${PYTHON:-python3.13 python3.12 python3.11 python3 python}; do
    # One that is listed and not there, as pyenv has them, is not usable either.
    if command -v "$python" >/dev/null 2>&1 && "$python" -I -c "$usable" 2>/dev/null; then
        command -v "$python"
        exit 0
    fi
done
found=$("${PYTHON:-python3}" -I -c 'import platform; print(platform.python_version())' 2>/dev/null) ||
    found=none
echo "eqtrade runs on Python 3.11, 3.12 or 3.13 with its venv module, and ${PYTHON:-python3} is $found:" \
    "install one (on Debian: apt-get install python3 python3-venv) or say where it is by make PYTHON=…" >&2
exit 1
