"""Tools that have an environment of their own: the project itself must not depend on them."""

import json
from collections.abc import Sequence
from pathlib import Path

from deploy.installing import install_options
from deploy.steps import call, fingerprint, read_json, step, works


def ready(venv: Path, lock: Path, python: Sequence[str | Path]) -> None:
    """Install what the lock file names, unless it is there; `python` makes the environment."""
    installed, interpreter = venv / "installed.json", venv / "bin" / "python"
    wanted = {lock.name: fingerprint([lock])}
    if works([interpreter, "-c", "import pip"]) and read_json(installed) == wanted:
        return
    with step(f"tools in {venv.name}"):
        call([*python, "-m", "venv", "--clear", venv])
        call([interpreter, "-m", "pip", "install", *install_options([lock])])
    installed.write_text(json.dumps(wanted))
