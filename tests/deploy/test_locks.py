"""What is installed is what was locked: by hash, from no index that is named, whatever the machine.

A wheel that was changed on its way fails the install.
"""

import json
import re
import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from deploy.develop import LOCKED
from deploy.installing import install_options
from eqtrade.up.options import PROJECT

LOCKS = [f"{name}.txt" for name in LOCKED]


@pytest.mark.parametrize("name", LOCKS)
def test_every_file_of_a_lock_is_known_by_its_hash(name: str) -> None:
    text = (PROJECT / name).read_text()
    kept = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    pinned = [line for line in kept if not line.startswith((" ", "\t")) and line]
    assert pinned
    for line in pinned:
        assert re.fullmatch(r"[a-z0-9.-]+==[^ ;]+( ; .+)? \\", line), line
        after = kept[kept.index(line) + 1]
        assert re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", after), (line, after)
    assert "://" not in "\n".join(kept)


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


def install(folder: Path) -> tuple[int, str]:
    """As `make run` installs, but from this folder and into it."""
    apart = ("--isolated", "--no-index", "--find-links", folder, "--target", folder / "into")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", *install_options([folder / "lock.txt"]), *apart],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stderr


def test_a_changed_wheel_fails_the_install(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "as it was locked")
    digest = sha256(wheel.read_bytes()).hexdigest()
    (tmp_path / "lock.txt").write_text(f"locked-thing==1.0 --hash=sha256:{digest}\n")
    code, said = install(tmp_path)
    assert code == 0, said
    assert "as it was locked" in (tmp_path / "into" / "locked_thing.py").read_text()

    make_wheel(tmp_path, "something else")
    code, said = install(tmp_path)
    assert code != 0
    assert "DO NOT MATCH THE HASHES" in said


def test_a_lock_without_a_hash_fails_the_install(tmp_path: Path) -> None:
    make_wheel(tmp_path, "as it was locked")
    (tmp_path / "lock.txt").write_text("locked-thing==1.0\n")
    code, said = install(tmp_path)
    assert code != 0
    assert "hash" in said.lower()


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
