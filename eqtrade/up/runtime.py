"""The environment of the running stack, kept where `manage.py` with the same DATA_DIR finds it.

The file holds passwords (mode 0600). It counts only while the stack lives that wrote it.
"""

import json
import secrets
from pathlib import Path

from eqtrade.up.files import write_private
from eqtrade.up.layout import Layout

SECRET_NAMES = ("superuser", "owner", "runtime", "django")


def running_environment(data_dir: Path) -> dict[str, str] | None:
    """The environment of the stack that runs with this DATA_DIR, or None when none runs."""
    path = Layout(data_dir.resolve()).environment
    try:
        written = json.loads(path.read_text())
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None
    # Only the local stack has it installed, and only the local stack writes this file.
    from eqtrade.up.leftovers import Recorded

    if not Recorded(**written["supervisor"]).lives():
        return None
    return {str(name): str(value) for name, value in written["environment"].items()}


def publish_environment(layout: Layout, supervisor_pid: int, environment: dict[str, str]) -> None:
    """Write the environment for manage.py, valid while this supervisor lives."""
    from eqtrade.up.leftovers import Recorded

    supervisor = Recorded.of("supervisord", supervisor_pid)
    text = json.dumps({"supervisor": supervisor.as_dict(), "environment": environment}, indent=1)
    write_private(layout.environment, text)


def load_secrets(layout: Layout) -> dict[str, str]:
    """The stack's secrets; made at the first start and kept with the data that they open."""
    try:
        known: dict[str, str] = json.loads(layout.secrets.read_text())
    except FileNotFoundError:
        known = {}
    missing = [name for name in SECRET_NAMES if name not in known]
    if missing:
        known |= {name: secrets.token_urlsafe(48 if name == "django" else 24) for name in missing}
        write_private(layout.secrets, json.dumps(known, indent=1))
    return known
