"""The places this machine gets its packages from, so that a bare one beside it gets them there too.

Read anew at each run and written into the bare machine alone: of this network, nothing is known
here. pip, npm and apt each have their files, and variables that count as well.
"""

import configparser
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

VARIABLE = re.compile(
    r"(https?_proxy|no_proxy|all_proxy|pip_\w+|npm_config_\w+"
    r"|ssl_cert_file|requests_ca_bundle|node_extra_ca_certs)",
    re.IGNORECASE,
)
NPM_KEY = re.compile(
    r"\s*(registry|cafile|ca|strict-ssl|proxy|https-proxy|noproxy|@[^=]*:registry|//[^=]*)\s*="
)
APT_KEY = re.compile(r"Acquire::(https?|Check-Valid-Until|Check-Date|Retries)\b")
ANCHORS = Path("/usr/local/share/ca-certificates")


@dataclass(frozen=True)
class Settings:
    """What a bare machine is given."""

    environment: Mapping[str, str]
    files: Mapping[str, bytes]
    """Written as they are: pip's and apt's settings, certificates."""
    npmrc: bytes
    directories: tuple[str, ...]
    """Indexes that are directories of this machine: seen there too, in the same place."""
    debian_mirror: str | None


def read_settings(suite: str) -> Settings:
    """This machine's own settings, for a Debian of this suite."""
    environment = {n: v for n, v in os.environ.items() if VARIABLE.fullmatch(n)}
    pip = _pip()
    npmrc = _npmrc()
    named = [*environment.values(), *pip.values(), *npmrc.splitlines()]
    paths = sorted(set(_paths(named)))
    files = {
        str(path): path.read_bytes()
        for path in (*paths, *(sorted(ANCHORS.glob("*.crt")) if ANCHORS.is_dir() else ()))
        if path.is_file()
    }
    lines = [f"{name} = {value}\n" for name, value in pip.items()]
    files["/etc/pip.conf"] = "".join(["[global]\n", *lines]).encode()
    sources, options = _apt(suite)
    if sources:
        files["/etc/apt/sources.list"] = "".join(f"{line}\n" for line in sources).encode()
        files["/etc/apt/sources.list.d/debian.sources"] = b""
    if options:
        files["/etc/apt/apt.conf.d/99machine"] = "".join(f"{line}\n" for line in options).encode()
    return Settings(
        environment=environment,
        files=files,
        npmrc=npmrc.encode(),
        directories=tuple(str(path) for path in paths if path.is_dir()),
        debian_mirror=next((s.split()[-3] for s in sources if s.split()[-2] == suite), None),
    )


def _pip() -> dict[str, str]:
    """What pip's files say, the nearer ones over the farther."""
    home = Path.home()
    found: dict[str, str] = {}
    for path in (
        *(Path("/etc/xdg/pip/pip.conf"), Path("/etc/pip.conf")),
        *(home / ".pip/pip.conf", home / ".config/pip/pip.conf"),
        *(Path(p) for p in [os.environ.get("PIP_CONFIG_FILE", "")] if p),
    ):
        parser = configparser.RawConfigParser()
        parser.read(path)
        for section in ("global", "install"):
            if parser.has_section(section):
                found |= {n: v.replace("\n", "\n    ") for n, v in parser.items(section)}
    return found


def _npmrc() -> str:
    """The lines of npm's files that say where packages come from."""
    places = (
        *(Path("/etc/npmrc"), Path("/usr/etc/npmrc"), Path("/usr/local/etc/npmrc")),
        Path(os.environ.get("NPM_CONFIG_USERCONFIG") or Path.home() / ".npmrc"),
    )
    lines = [line for p in places if p.is_file() for line in p.read_text().splitlines()]
    return "".join(f"{line}\n" for line in dict.fromkeys(lines) if NPM_KEY.match(line))


def _apt(suite: str) -> tuple[list[str], list[str]]:
    """apt's sources of this suite, where its own are, and how to reach them; nothing where apt has
    none."""
    if not shutil.which("apt-get"):
        return [], []
    form = "deb $(REPO_URI) $(RELEASE) $(COMPONENT)"
    listed = _said("apt-get", "indextargets", "--format", form, "Created-By: Packages")
    own = platform.freedesktop_os_release().get("VERSION_CODENAME", suite)
    ours = {f"{own}{part}": f"{suite}{part}" for part in ("", "-updates", "-security")}
    found = [line.split() for line in listed if line.endswith(" main")]
    sources = [f"deb {uri} {ours[of]} main" for _, uri, of, _ in found if of in ours]
    options = [line for line in _said("apt-config", "dump") if APT_KEY.match(line)]
    return sources, options


def _said(*command: str) -> list[str]:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return sorted(set(done.stdout.splitlines()))


def _paths(values: Iterable[str]) -> Iterable[Path]:
    """The files and directories that settings name. An index is named by its `simple`, and has
    what it lists beside that."""
    for value in values:
        for word in re.split(r"[\s=]+", value):
            text = urlsplit(word).path if word.startswith("file:") else word
            path = Path(text)
            if text.startswith("/") and len(path.parts) > 1 and path.exists():
                yield path.parent if path.name == "simple" else path
