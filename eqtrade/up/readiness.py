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
        if status == 200 and _all_up(layout, supervisor, states):
            return
        if any(one.state == "FATAL" for one in states):
            break
        time.sleep(0.1)
    logs = "".join(
        f"\n{one.name} is {one.state}. Its log ends with:\n{tail(supervisor.log_of(one.name))}"
        for one in supervisor.states()
        if one.state != "RUNNING" or not _said_ready(supervisor, one.name)
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


def _all_up(layout: Layout, supervisor: Supervisor, states: list[ProgramState]) -> bool:
    """Ready is the whole system: /readyz speaks for api and its servers only.

    That a program has run for its first seconds is not enough: on a slow machine one that can't
    work takes longer to find out.
    """
    listening = all(layout.socket(name).exists() for name in ("api", "ws", "flower"))
    running = all(one.state == "RUNNING" for one in states)
    return listening and running and all(_said_ready(supervisor, one.name) for one in states)


def _said_ready(supervisor: Supervisor, name: str) -> bool:
    text = supervisor.programs[name].ready_text
    return text is None or text in supervisor.said(name)
