"""nginx for the laptop: deploy/nginx.conf.template with this stack's sockets."""

import os
import re
from collections.abc import Mapping

from eqtrade.up.binaries import nginx
from eqtrade.up.layout import Layout
from eqtrade.up.options import PROJECT
from eqtrade.up.programs import Program, makes_way

TEMPLATE = PROJECT / "deploy" / "nginx.conf.template"


def nginx_program(layout: Layout, port: int) -> Program:
    """Write nginx's settings into its own prefix; returns the program, for the foreground."""
    settings = layout.nginx / "nginx.conf"
    temp = layout.nginx / "temp"
    temp.mkdir(mode=0o700, exist_ok=True)
    settings.write_text(
        fill(
            TEMPLATE.read_text(),
            {
                "WORKER_PROCESSES": "auto",
                "LISTEN": f"127.0.0.1:{port}",
                "API_SERVERS": f"server unix:{layout.socket('api')};",
                "WS_SERVERS": f"server unix:{layout.socket('ws')};",
                "FLOWER_SERVERS": f"server unix:{layout.socket('flower')};",
                "SESSION_COOKIE": os.environ.get("SESSION_COOKIE_NAME", "sessionid"),
                "STATIC_ROOT": str(layout.static),
                "TEMP_ROOT": str(temp),
                "LOG_FORMAT": os.environ.get("LOG_FORMAT", "lines"),
                # Sockets have no names to look up, and nobody stands before this nginx.
                "RESOLVER": "",
                "REAL_IP": "",
                "PROXY_RANGES": "",
            },
        )
    )
    directives = ["daemon off", f'pid "{layout.nginx / "nginx.pid"}"']
    if os.geteuid() == 0:
        # As nobody its workers could enter neither the sockets' nor the static files' directory
        # (502). Behind 127.0.0.1 on a laptop that already runs everything else as root.
        directives.append("user root")
    command = [
        *(str(nginx()), "-p", f"{layout.nginx}/", "-c", str(settings), "-e", "stderr"),
        *("-g", "".join(f"{directive}; " for directive in directives)),
    ]
    return Program("nginx", makes_way(command), stage="entrance")


def fill(template: str, values: Mapping[str, str]) -> str:
    """Replace ${NAME} by its value, as envsubst does; nginx's own $variables stay.

    Raises `KeyError` for a name without a value.
    """
    return re.sub(r"\$\{([A-Z_]+)\}", lambda match: values[match.group(1)], template)
