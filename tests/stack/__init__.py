"""One real stack for all tests that need one, started on first use and stopped at the end.

A test that asks for `stack` is marked by that: it runs in the process of the one stack, and a
failure shows the ends of the stack's logs.
"""

import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.stack.collector import Collector
from tests.stack.running import RunningStack

GROUP = "stack"


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """The running stack, seeded with demo data. Afterwards none of its processes is left."""
    _only_here(tmp_path_factory)
    place = Path(tempfile.mkdtemp(prefix="eqtrade-", dir="/tmp"))
    # PostgreSQL's account passes through it when root runs the tests.
    place.chmod(0o711)
    with Collector() as collector:
        # Nothing is traced but what a test asks for, by a sampled `traceparent` of its own.
        traced = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_TRACES_SAMPLER": "parentbased_always_off",
        }
        running = RunningStack(place / "the data", settings=traced)
        running.collector = collector
        try:
            running.start()
            yield running
        finally:
            left = running.stop()
            shutil.rmtree(place, ignore_errors=True)
    assert left == [], f"the stack left processes behind: {left}"


def _only_here(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Refuse a second stack in another process of the same run: groups are not kept then."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        (tmp_path_factory.getbasetemp().parent / "a-stack-was-started").touch(exist_ok=False)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of the stack, before xdist reads the groups and -m the names."""
    for item in items:
        if "stack" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.stack)
            # The first one also waits for the start of everything.
            item.add_marker(pytest.mark.timeout(400))
            item.add_marker(pytest.mark.xdist_group(GROUP))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the ends of the stack's logs to a failure."""
    report = yield
    running = getattr(item, "funcargs", {}).get("stack")
    if report.failed and isinstance(running, RunningStack):
        report.sections.append(("the stack's logs", running.log_tails()))
    return report
