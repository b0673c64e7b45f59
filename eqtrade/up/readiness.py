"""Waits until the whole system answers, or says who does not."""

import http.client
import time

from eqtrade.up.commands import StepFailed
from eqtrade.up.files import tail
from eqtrade.up.layout import Layout
from eqtrade.up.supervision import ProgramState, Supervisor

READY_SECONDS = 120


def wait_ready(port: int, layout: Layout, supervisor: Supervisor) -> None:
    """Poll /readyz through nginx until all is up; raises `StepFailed` with the logs of the rest."""
    deadline = time.monotonic() + READY_SECONDS
    answer = "nothing"
    while time.monotonic() < deadline:
        status, answer = get(port, "/readyz")
        states = supervisor.states()
        if status == 200 and _all_up(layout, states):
            return
        if any(one.state == "FATAL" for one in states):
            break
        time.sleep(0.1)
    logs = "".join(
        f"\n{one.name} is {one.state}. Its log ends with:\n{tail(layout.logs / one.log_name)}"
        for one in supervisor.states()
        if one.state != "RUNNING"
    )
    raise StepFailed(f"the system did not become ready. /readyz answered: {answer}{logs}")


def get(port: int, path: str) -> tuple[int, str]:
    """Status and body of a GET on our own nginx; status 0 when it does not answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read(2000).decode(errors="replace")
        return response.status, f"{response.status} {body}"
    except (OSError, http.client.HTTPException) as error:
        return 0, str(error)
    finally:
        connection.close()


def _all_up(layout: Layout, states: list[ProgramState]) -> bool:
    """Ready is the whole system: /readyz speaks for api and its servers only."""
    listening = all(layout.socket(name).exists() for name in ("api", "ws", "flower"))
    return listening and all(one.state == "RUNNING" for one in states)
