"""The images that others make and ours are made of, by digest.

    python -m deploy.images          says which are pinned; exit 1 when one is not
    python -m deploy.images renew    pins each to what its tag is now

A tag is whatever its registry says today; a digest is one content for ever. `renew` asks the
registry by `docker buildx imagetools inspect` and writes the digests where the images are named:
read the difference, try it by `make compose-test`, commit it. Standard library only.
"""

# ruff: noqa: T201, S603
# It talks to a terminal, and runs docker.

import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from deploy.steps import PROJECT, Failed

FILES = (
    *("Dockerfile", "docker-compose.yml"),
    *("deploy/ha/Dockerfile", "deploy/backup/Dockerfile"),
)
# `FROM name:tag` and `image: name:tag`. A name of ours has a ${…} in it, a stage has no tag.
_NAMED = re.compile(
    r"^(?P<before>FROM |\s+image: )(?P<tag>[a-z0-9./-]+:[A-Za-z0-9._-]+)"
    r"(?:@(?P<digest>sha256:[0-9a-f]{64}))?(?=\s|$)",
    re.MULTILINE,
)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
SECONDS = 120.0


def images_of(text: str) -> dict[str, set[str]]:
    """Tag → the digests that it is named with; "" where there is none."""
    found: dict[str, set[str]] = {}
    for named in _NAMED.finditer(text):
        found.setdefault(named["tag"], set()).add(named["digest"] or "")
    return found


def complaints(texts: Sequence[str]) -> list[str]:
    """What is not pinned, and what is pinned to two contents."""
    found: dict[str, set[str]] = {}
    for text in texts:
        for tag, digests in images_of(text).items():
            found.setdefault(tag, set()).update(digests)
    said = []
    for tag, digests in sorted(found.items()):
        if "" in digests:
            said.append(f"{tag} has no digest")
        if len(digests - {""}) > 1:
            said.append(f"{tag} has two digests")
    return said


def pinned(text: str, digest_of: Callable[[str], str]) -> str:
    """The text with the digest of each tag beside it, in place of an older one."""
    return _NAMED.sub(lambda m: f"{m['before']}{m['tag']}@{digest_of(m['tag'])}", text)


def digest_of(tag: str) -> str:
    """What the registry says that a tag is now: of the list of all platforms, where there is one.

    Raises `Failed`.
    """
    command = ["docker", "buildx", "imagetools", "inspect", "--format", "{{.Manifest.Digest}}", tag]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failed(f"the registry can't be asked for {tag}: {error}") from error
    digest = done.stdout.strip()
    if done.returncode != 0 or not _DIGEST.fullmatch(digest):
        raise Failed(f"the registry does not say what {tag} is: {done.stderr.strip() or digest!r}")
    return digest


def renew(files: Sequence[Path], ask: Callable[[str], str] = digest_of) -> None:
    """All or nothing: every registry is asked before the first file is written."""
    texts = {file: file.read_text() for file in files}
    digests = {tag: ask(tag) for text in texts.values() for tag in images_of(text)}
    for file, text in texts.items():
        file.write_text(pinned(text, digests.__getitem__))


def main(arguments: Sequence[str]) -> int:
    files = [PROJECT / name for name in FILES]
    if list(arguments) not in ([], ["renew"]):
        print(__doc__, file=sys.stderr)
        return 64
    try:
        if arguments:
            renew(files)
    except Failed as failure:
        print(failure, file=sys.stderr)
        return 1
    said = complaints([file.read_text() for file in files])
    print("\n".join(said) or "every image is pinned by its digest")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
