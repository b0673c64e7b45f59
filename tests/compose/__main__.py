"""`make compose-test`: the whole system in containers, as an operator runs it.

    python -m tests.compose [--monitoring] [--build] [--digests] [--keep]

Needs a `docker compose` that works, and touches nothing but a project of its own. The images are
built when they are not of the sources as they are; `--build` builds them anyway, `--digests` of the
images of others that deploy/images.json names, from their registry, `--keep` leaves the system
running at the end. With `--monitoring` what watches the system is tried instead, ten minutes long.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.compose.desk import Desk
from tests.compose.monitoring import Monitoring, monitored
from tests.compose.project import Failed, Project
from tests.compose.scenario import Scenario


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--monitoring", action="store_true")
    parser.add_argument("--build", action="store_true")
    parser.add_argument("--digests", action="store_true")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    began = time.monotonic()
    make = monitored if options.monitoring else Project
    project = make(digests=options.digests)
    scenario = (Monitoring if options.monitoring else Scenario)(Desk(project))
    try:
        with step("docker compose works"):
            project.docker("info")
            version = project.docker("compose", "version", "--short").strip()
        print(f"  compose {version}, project {project.name}, {project.url}", flush=True)
        if options.build or options.digests or not project.images_are_of_these_sources():
            with step("images"):
                project.build()
        for image in project.images:
            size = int(project.docker("image", "inspect", "-f", "{{.Size}}", image))
            print(f"  {image}: {size / 1e6:.0f} MB", flush=True)
        for label, part in scenario.steps():
            with step(label):
                said = part()
            if said:
                print(f"      {said}", flush=True)
    except (Failed, AssertionError) as failure:
        print(f"compose-test FAILED: {failure}", file=sys.stderr)
        return 1
    finally:
        if options.keep:
            print(f"kept: docker compose -p {project.name} --env-file {keep(project)} ps")
        else:
            project.end()
    print(f"compose-test passed in {time.monotonic() - began:.0f} s", flush=True)
    return 0


def keep(project: Project) -> Path:
    """Put the environment where it outlives this process."""
    kept = Path(f"/tmp/{project.name}.env")
    kept.write_text(project.env_file.read_text())
    kept.chmod(0o600)
    return kept


@contextmanager
def step(label: str) -> Iterator[None]:
    print(f"  {label} …", flush=True)
    began = time.monotonic()
    yield
    print(f"  {label:<60} {time.monotonic() - began:6.1f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
