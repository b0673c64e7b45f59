"""The images that others make and ours are made of, by digest.

    python -m deploy.images                     what is wrong; exit 1 when anything is
    python -m deploy.images renew               each to what its tag is now, as the registry says
    python -m deploy.images renew --from FILE   … as a list of the same form says
    python -m deploy.images named TAG           TAG@DIGEST
    python -m deploy.images contexts DOCKERFILE options of `docker build` that put TAG@DIGEST in
                                                place of each tag that it is made from

A tag is whatever its registry says today; a digest is one content for ever. deploy/images.json is
the one list of them. The files that name images keep plain tags, for machines without a registry;
`renew` writes a file over each compose file in which the same images are named by digest
(docs/decisions/0032-images-by-digest.md). Standard library only.
"""

# ruff: noqa: T201, S603
# It talks to a terminal, and runs docker.

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from deploy.steps import PROJECT, Failed

LIST = "deploy/images.json"
OVER: Mapping[str, str] = {
    "docker-compose.yml": "deploy/compose.digests.yml",
    "docker-compose.ha.yml": "deploy/compose.digests.ha.yml",
    "deploy/compose.pitr.yml": "deploy/compose.digests.pitr.yml",
    "docker-compose.monitoring.yml": "deploy/compose.digests.monitoring.yml",
}
"""Each file of compose, and what is written over it. In COMPOSE_FILE it comes right after."""
FILES = (
    *("Dockerfile", "deploy/ha/Dockerfile", "deploy/backup/Dockerfile"),
    *("deploy/monitoring/Dockerfile", "deploy/publish.sh"),
    *OVER,
)
# `FROM name:tag`, `image: name:tag`, `deploy.images named name:tag`. A name of ours has a ${…} in
# it, a stage has no tag.
_NAMED = re.compile(
    r"^(?:FROM (?:--\S+ )*|\s+image: |.*--from=|.*deploy\.images named )"
    r"(?P<tag>[a-z0-9./-]+:[A-Za-z0-9._-]+)(?=[\s)]|$)",
    re.MULTILINE,
)
_SERVICE = re.compile(r"^  ([a-z0-9-]+):.*\n((?:(?:    .*)?\n|  #.*\n)*)", re.MULTILINE)
_BUILD = re.compile(r"^    build:(?: .*)?\n(?:      .*\n)*", re.MULTILINE)
_DOCKERFILE = re.compile(r"dockerfile: ([^\s,}]+)")
_EXTENDS = re.compile(r"^    extends: \{ file: (\S+), service: (\S+) \}$", re.MULTILINE)
_IMAGE = re.compile(r"^    image: ([a-z0-9./-]+:[A-Za-z0-9._-]+)(?=\s)", re.MULTILINE)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
SECONDS = 120.0
# A base without its latest corrections is not kept for longer.
FRESH_DAYS = 90


@dataclass(frozen=True)
class Listed:
    """Digests by tag, who said so, and on which day that was so."""

    source: str
    day: str
    digests: Mapping[str, str]

    @classmethod
    def read(cls, file: Path) -> "Listed":
        found = cls(**json.loads(file.read_text()))
        for tag, digest in found.digests.items():
            if not _DIGEST.fullmatch(digest):
                raise Failed(f"{file}: {tag} has no digest")
        return found

    def text(self) -> str:
        return json.dumps(asdict(self), indent=2) + "\n"

    def named(self, tag: str) -> str:
        if tag not in self.digests:
            raise Failed(f"{tag} is not in {LIST}: python -m deploy.images renew")
        return f"{tag}@{self.digests[tag]}"


def images_of(text: str) -> list[str]:
    """The tags of others' images that a file names, each once."""
    return sorted({found["tag"] for found in _NAMED.finditer(text)})


def services_of(text: str) -> Iterator[tuple[str, str]]:
    """Name and settings of each service of a compose file."""
    _, _, after = text.partition("\nservices:\n")
    inside = re.split(r"^(?=\S)", after, maxsplit=1, flags=re.MULTILINE)[0]
    for found in _SERVICE.finditer(inside):
        yield found[1], found[2]


def dockerfile_of(project: Path, settings: str) -> str:
    """What a service is built from, itself or as the one that it extends; "" when it is not."""
    build = _BUILD.search(settings)
    if build:
        named = _DOCKERFILE.search(build[0])
        return named[1] if named else "Dockerfile"
    extended = _EXTENDS.search(settings)
    if extended:
        other = dict(services_of((project / extended[1]).read_text()))[extended[2]]
        return dockerfile_of(project, other)
    return ""


def contexts(project: Path, listed: Listed, dockerfile: str) -> dict[str, str]:
    """For BuildKit: the image by digest in place of each tag that a Dockerfile starts from."""
    tags = images_of((project / dockerfile).read_text())
    return {tag: f"docker-image://{listed.named(tag)}" for tag in tags}


def overlay(project: Path, listed: Listed, file: str) -> str:
    """What is written over a compose file."""
    lines = [
        f"# Over {file}: the images of others by digest.",
        "# Written by `python -m deploy.images renew`, never by hand.",
        "",
        "services:",
    ]
    for name, settings in services_of((project / file).read_text()):
        image = _IMAGE.search(settings)
        dockerfile = dockerfile_of(project, settings)
        if image or dockerfile:
            lines.append(f"  {name}:")
        if image:
            lines.append(f"    image: {listed.named(image[1])}")
        if dockerfile:
            lines += ["    build:", "      additional_contexts:"]
            made = contexts(project, listed, dockerfile)
            lines += [f'        "{tag}": {image}' for tag, image in made.items()]
    return "\n".join(lines) + "\n"


def named_in(project: Path) -> list[str]:
    return sorted({tag for file in FILES for tag in images_of((project / file).read_text())})


def complaints(project: Path, today: date) -> list[str]:
    """What has no digest, what is no longer as `renew` would write it, and what is old."""
    listed, tags = Listed.read(project / LIST), named_in(project)
    said = [f"{tag} has no digest" for tag in tags if tag not in listed.digests]
    said += [f"{tag} is named nowhere" for tag in listed.digests if tag not in tags]
    if not said:
        for file, over in OVER.items():
            written = project / over
            if not written.exists() or written.read_text() != overlay(project, listed, file):
                said.append(f"{over} is not what is written over {file}")
    age = (today - date.fromisoformat(listed.day)).days
    if age > FRESH_DAYS:
        said.append(f"the digests are {age} days old: {listed.day}")
    return said


def digest_of(tag: str) -> str:
    """What the registry says that a tag is now: of the list of all platforms, where there is one.

    Raises `Failed`.
    """
    # Its template of one field prints a table: the whole is asked for.
    command = ["docker", "buildx", "imagetools", "inspect", "--format", "{{json .Manifest}}", tag]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failed(f"the registry can't be asked for {tag}: {error}") from error
    try:
        digest = str(json.loads(done.stdout)["digest"])
    except (ValueError, TypeError, KeyError):
        digest = ""
    if done.returncode != 0 or not _DIGEST.fullmatch(digest):
        said = done.stderr.strip() or done.stdout
        raise Failed(f"the registry does not say what {tag} is: {said!r}")
    return digest


def asked(tags: Sequence[str], today: date, ask: Callable[[str], str] = digest_of) -> Listed:
    return Listed("the registry", today.isoformat(), {tag: ask(tag) for tag in tags})


def renew(project: Path, listed: Listed) -> None:
    """All or nothing: every file is made before the first is written. Raises `Failed`."""
    mine = Listed(
        listed.source, listed.day, {tag: listed.digests.get(tag, "") for tag in named_in(project)}
    )
    for tag, digest in mine.digests.items():
        if not digest:
            raise Failed(f"nothing says what {tag} is")
    texts = {LIST: mine.text()}
    texts |= {over: overlay(project, mine, file) for file, over in OVER.items()}
    for name, text in texts.items():
        (project / name).write_text(text)


def main(arguments: Sequence[str], project: Path = PROJECT) -> int:
    today = datetime.now(UTC).date()
    try:
        match list(arguments):
            case []:
                pass
            case ["renew"]:
                renew(project, asked(named_in(project), today))
            case ["renew", "--from", file]:
                renew(project, Listed.read(Path(file)))
            case ["named", tag]:
                print(Listed.read(project / LIST).named(tag))
                return 0
            case ["contexts", dockerfile]:
                made = contexts(project, Listed.read(project / LIST), dockerfile)
                print("\n".join(f"--build-context={tag}={image}" for tag, image in made.items()))
                return 0
            case _:
                print(__doc__, file=sys.stderr)
                return 64
        said = complaints(project, today)
    except Failed as failure:
        print(failure, file=sys.stderr)
        return 1
    print("\n".join(said) or "every image is pinned by its digest")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
