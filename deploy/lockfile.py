"""What uv.lock says is to be installed here, as lines that pip and uv read, with every hash.

    python -m deploy.lockfile GROUP…    what the system runs on, and these groups of pyproject.toml
    python -m deploy.lockfile --only GROUP…    these groups alone

The lock holds for every Python and platform; this picks what is for the interpreter that runs it,
whose pip evaluates the lock's conditions. So one list is installed by whatever installer there is,
from the package index that it is set to. Standard library and pip only.
"""

import argparse
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

LOCK = Path(__file__).resolve().parent.parent / "uv.lock"

Package = Mapping[str, Any]


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="lockfile", description="What is to be installed here.")
    parser.add_argument("groups", nargs="*", metavar="GROUP")
    parser.add_argument("--only", action="store_true", help="without what the system runs on")
    asked = parser.parse_args(arguments)
    sys.stdout.write(listed(tomllib.loads(LOCK.read_text()), asked.groups, whole=not asked.only))
    return 0


def listed(lock: Mapping[str, Any], groups: Iterable[str], *, whole: bool) -> str:
    """The lines, in the order of names. `whole` is with what the system itself runs on.

    Raises KeyError for a group that there is not.
    """
    packages: list[Package] = lock["package"]
    project = next(each for each in packages if "virtual" in each["source"])
    wanted = list(project["dependencies"]) if whole else []
    for group in groups:
        wanted += project["dev-dependencies"][group]
    found: dict[str, Package] = {}
    seen: set[tuple[str, str]] = set()
    while wanted:
        dependency = wanted.pop()
        if not holds(dependency.get("marker", "")):
            continue
        package = named(packages, dependency)
        found[package["name"]] = package
        for extra in ("", *dependency.get("extra", ())):
            if (package["name"], extra) not in seen:
                seen.add((package["name"], extra))
                further = package.get("optional-dependencies", {})
                wanted += further.get(extra, ()) if extra else package.get("dependencies", ())
    return "".join(line(found[name]) for name in sorted(found))


def named(packages: Iterable[Package], dependency: Mapping[str, Any]) -> Package:
    """The package that a dependency means; it says the version where there are several."""
    return next(
        each
        for each in packages
        if each["name"] == dependency["name"]
        and dependency.get("version", each["version"]) == each["version"]
    )


def line(package: Package) -> str:
    files = [package["sdist"]] if "sdist" in package else []
    hashes = sorted(each["hash"] for each in [*files, *package.get("wheels", ())])
    return " \\\n    --hash=".join([f"{package['name']}=={package['version']}", *hashes]) + "\n"


def holds(marker: str) -> bool:
    """Whether a condition holds for this interpreter."""
    from pip._vendor.packaging.markers import Marker

    return not marker or Marker(marker).evaluate()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
