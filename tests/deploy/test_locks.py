"""What is installed is what was locked: by hash, from no index that is named, whatever the machine.

A wheel that was changed on its way fails the install.
"""

import json
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from hashlib import sha256
from importlib import metadata
from itertools import chain
from pathlib import Path
from shutil import rmtree

import pytest
from pip._vendor.packaging.markers import Marker

from deploy import installing, lockfile
from deploy.installing import ALL_GROUPS, IMAGE_GROUPS, VENV, install_options, uv_options
from deploy.lockfile import listed
from eqtrade.up.options import PROJECT

LOCK = tomllib.loads((PROJECT / "uv.lock").read_text())
PROJECT_FILE = tomllib.loads((PROJECT / "pyproject.toml").read_text())
GROUPS = PROJECT_FILE["dependency-groups"]
# The package index that everybody has, and where its files are: the lock names no other.
INDEX, FILES = "https://pypi.org/simple", "https://files.pythonhosted.org/packages/"


def pins(text: str) -> dict[str, list[str]]:
    """Package and version → its hashes, of lines as pip reads them."""
    kept = "\n".join(each for each in text.splitlines() if not each.lstrip().startswith("#"))
    found = {}
    for entry in filter(None, re.split(r"\n(?! )", kept)):
        first, *hashes = entry.split(" \\\n    --hash=")
        assert re.fullmatch(r"[a-z0-9.-]+==[^ ;]+( ; .+)?", first), entry
        assert hashes, f"{first} has no hash"
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for each in hashes), entry
        found[first.split(" ; ")[0]] = hashes
    return found


def test_every_file_of_the_lock_is_known_by_its_hash_and_public() -> None:
    for package in LOCK["package"]:
        if package["source"] == {"virtual": "."}:
            continue
        assert package["source"] == {"registry": INDEX}, package["name"]
        files = [*package.get("wheels", ()), *filter(None, [package.get("sdist")])]
        assert files, package["name"]
        for file in files:
            assert file["url"].startswith(FILES), file
            assert re.fullmatch(r"sha256:[0-9a-f]{64}", file["hash"]), file


def test_the_exported_list_is_what_the_lock_says_that_containers_are_made_of() -> None:
    text = (PROJECT / "requirements.txt").read_text()
    assert "://" not in text
    exported = pins(text)
    here = pins(listed(LOCK, IMAGE_GROUPS, whole=True))
    assert "opentelemetry-sdk" in {name.split("==")[0] for name in here}
    assert {name: sorted(exported[name]) for name in here} == here
    # What is more is for other Pythons and platforms.
    others = {name for name in exported if f"\n{name} ; " in text}
    assert exported.keys() - here.keys() <= others


def test_every_name_of_the_project_is_in_the_lock_with_why_it_is_there() -> None:
    asked = [*PROJECT_FILE["project"]["dependencies"], *chain.from_iterable(GROUPS.values())]
    text = (PROJECT / "pyproject.toml").read_text()
    locked = {each["name"] for each in LOCK["package"]}
    for requirement in asked:
        name = re.split(r"[\[<>=~!]", requirement)[0].lower()
        assert name in locked
        assert re.search(rf'"{re.escape(requirement)}", +# \S', text), f"say why {requirement}"


def test_what_is_installed_here_is_what_is_locked() -> None:
    for pin in pins(listed(LOCK, ALL_GROUPS, whole=True)):
        name, version = pin.split("==")
        assert metadata.version(name) == version


@pytest.mark.parametrize("version", ["3.11.2", "3.12.1", "3.13.0"])
def test_a_list_is_for_one_python(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What only an older one needs is in no other's list, and nothing has to be compiled."""
    tag = "cp" + "".join(version.split(".")[:2])
    environment = {
        "python_full_version": version,
        "python_version": version.rpartition(".")[0],
        "sys_platform": "linux",
        "platform_machine": "x86_64",
    }
    monkeypatch.setattr(
        lockfile, "holds", lambda marker: not marker or Marker(marker).evaluate(environment)
    )
    found = {pin.split("==")[0] for pin in pins(listed(LOCK, ALL_GROUPS, whole=True))}
    assert ("async-timeout" in found) == (version == "3.11.2")
    for package in LOCK["package"]:
        if package["name"] in found:
            names = [each["url"].rpartition("/")[2] for each in package.get("wheels", ())]
            fits = [n for n in names if tag in n or "-py3-" in n or "py2.py3" in n or "abi3" in n]
            assert fits, f"{package['name']} would have to be compiled"


def test_the_pythons_are_said_alike() -> None:
    wanted = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", PROJECT_FILE["project"]["requires-python"])
    assert wanted
    minors = list(range(int(wanted[1]), int(wanted[2])))
    script = (PROJECT / "deploy" / "python.sh").read_text()
    assert f"(3, {minors[0]}) <= sys.version_info[:2] <= (3, {minors[-1]})" in script
    assert " ".join(f"python3.{each}" for each in reversed(minors)) in script


def make_python(folder: Path, name: str, version: str) -> None:
    """A program that says that it is this Python, and is this very one else."""
    major, minor, micro = version.split(".")
    program = folder / name
    pretends = (
        f"import sys, platform; sys.version_info = ({major}, {minor}, {micro});"
        f" platform.python_version = lambda: '{version}'"
    )
    # It is called with -I -c CODE.
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -c "{pretends}\n$3"\n')
    program.chmod(0o755)


@pytest.mark.parametrize(
    ("there", "asked", "taken"),
    [
        ({"python3.11": "3.11.2", "python3.13": "3.13.0"}, "", "python3.13"),
        ({"python3.13": "2.7.18", "python3.12": "3.12.1"}, "", "python3.12"),
        ({"python3": "3.11.2"}, "", "python3"),
        ({"python3": "3.13.0", "python3.11": "3.11.2"}, "python3.11", "python3.11"),
        ({"python3": "3.14.0"}, "", "python3 is 3.14.0"),
        ({"python3": "3.13.0", "python3.9": "3.9.18"}, "python3.9", "python3.9 is 3.9.18"),
        ({}, "", "python3 is none"),
    ],
)
def test_the_newest_python_that_is_there_is_taken(
    there: dict[str, str], asked: str, taken: str, tmp_path: Path
) -> None:
    folder = tmp_path / "with a space"
    folder.mkdir()
    for name, version in there.items():
        make_python(folder, name, version)
    done = subprocess.run(
        ["/bin/sh", PROJECT / "deploy" / "python.sh"],
        env={"PATH": str(folder), "PYTHON": asked},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if taken in there:
        assert (done.returncode, done.stdout.strip()) == (0, str(folder / taken)), done.stderr
    else:
        assert done.returncode == 1
        assert taken in done.stderr
        assert done.stderr.count("\n") == 1


def test_every_package_of_the_front_end_is_known_by_its_hash() -> None:
    """And comes from the registry that npm is set to."""
    lock = json.loads((PROJECT / "frontend" / "package-lock.json").read_text())
    packages = {name: found for name, found in lock["packages"].items() if name}
    assert len(packages) > 100
    for name, found in packages.items():
        # What a package brings within itself is hashed with it.
        assert "integrity" in found or found.get("inBundle"), name
        assert "resolved" not in found, name


def make_wheel(folder: Path, says: str) -> Path:
    """A package as pip takes it; always of the same name and version."""
    wheel = folder / "locked_thing-1.0-py3-none-any.whl"
    info = "locked_thing-1.0.dist-info"
    files = {
        "locked_thing.py": f"SAYS = {says!r}\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: locked-thing\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "",
    }
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return wheel


def by_pip(folder: Path) -> list[str | Path]:
    """As `make run` installs where uv can't, but from this folder and into it."""
    apart = ("--isolated", "--no-index", "--find-links", folder, "--target", folder / "into")
    return [sys.executable, "-m", "pip", "install", *install_options([folder / "lock.txt"]), *apart]


def by_uv(folder: Path) -> list[str | Path]:
    """As `make run` installs, but from this folder and into it."""
    apart = ("--no-config", "--no-index", "--no-cache", "--find-links", folder)
    options = uv_options(Path(sys.executable), folder / "lock.txt")
    return [VENV / "bin" / "uv", *options, *apart, "--target", folder / "into"]


def run(command: list[str | Path]) -> tuple[int, str]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stderr


@pytest.mark.parametrize("command", [by_pip, by_uv])
def test_a_changed_wheel_fails_the_install(
    command: Callable[[Path], list[str | Path]], tmp_path: Path
) -> None:
    wheel = make_wheel(tmp_path, "as it was locked")
    digest = sha256(wheel.read_bytes()).hexdigest()
    (tmp_path / "lock.txt").write_text(f"locked-thing==1.0 --hash=sha256:{digest}\n")
    code, said = run(command(tmp_path))
    assert code == 0, said
    assert "as it was locked" in (tmp_path / "into" / "locked_thing.py").read_text()

    make_wheel(tmp_path, "something else")
    rmtree(tmp_path / "into")
    code, said = run(command(tmp_path))
    assert code != 0
    assert "hash" in said.lower()
    assert not (tmp_path / "into" / "locked_thing.py").exists()


@pytest.mark.parametrize("command", [by_pip, by_uv])
def test_a_lock_without_a_hash_fails_the_install(
    command: Callable[[Path], list[str | Path]], tmp_path: Path
) -> None:
    make_wheel(tmp_path, "as it was locked")
    (tmp_path / "lock.txt").write_text("locked-thing==1.0\n")
    code, said = run(command(tmp_path))
    assert code != 0
    assert "hash" in said.lower()


def test_where_uv_does_not_run_pip_installs_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Of a folder instead of an index, into an environment in a path with a space."""
    wheel = make_wheel(tmp_path, "as it was locked")
    digest = sha256(wheel.read_bytes()).hexdigest()
    venv = tmp_path / "an environment"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True, timeout=120)
    wanted = f"locked-thing==1.0 --hash=sha256:{digest}\n"
    monkeypatch.setattr(installing, "locked_for", lambda *_, **__: wanted)
    monkeypatch.setattr(installing, "ready_uv", lambda _: tmp_path / "no such program")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent).replace(" ", "%20"))
    installing.install_into(venv, ["dev"], whole=True)
    assert "uv can't install here, pip does" in capfd.readouterr().out
    python = str(venv / "bin" / "python")
    done = run([python, "-c", "import locked_thing as t; assert t.SAYS == 'as it was locked'"])
    assert done == (0, "")


def test_the_image_is_made_of_known_files_only() -> None:
    """Whatever pip fetches there is checked; what it installs it does not fetch."""
    text = (PROJECT / "Dockerfile").read_text().replace("\\\n", " ")
    fetching = [
        line for line in text.splitlines() if re.search(r"pip (install|wheel|download)", line)
    ]
    assert len(fetching) >= 2
    for line in fetching:
        for command in re.findall(r"pip (?:install|wheel|download)[^&]*", line):
            assert "--require-hashes" in command or "--no-index" in command, command
    assert "npm ci" in text
