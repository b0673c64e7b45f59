"""Secrets from the environment, or from the file that NAME_FILE names, as containers mount them."""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit

SHORTEST_KEY = 50
FEWEST_SIGNS = 5
"""As Django's own check wants them."""


class WeakSecret(RuntimeError):
    """A secret that could be guessed; the message says what a good one is."""


class MissingSecret(RuntimeError):
    """A secret that is needed is nowhere, or its file can't be read; the message names it."""


def secret(name: str, environment: Mapping[str, str] = os.environ) -> str:
    """NAME, else the content of the file NAME_FILE without the white space around it, else "".

    Raises `MissingSecret` for a file that can't be read, and when both are given.
    """
    value, file = environment.get(name, ""), environment.get(f"{name}_FILE", "")
    if not file:
        return value
    if value:
        raise MissingSecret(f"Both {name} and {name}_FILE are set; set one of them.")
    try:
        return Path(file).read_text().strip()
    except OSError as error:
        raise MissingSecret(f"{name}_FILE={file} can't be read: {error.strerror}.") from error


def refuse_weak_key(key: str) -> None:
    """Raise `WeakSecret` for a key that could be guessed: whoever knows it makes a session."""
    if len(key) < SHORTEST_KEY or len(set(key)) < FEWEST_SIGNS:
        raise WeakSecret(
            f"SECRET_KEY must have {SHORTEST_KEY} characters or more, {FEWEST_SIGNS} of them"
            f" different; this one has {len(key)}, {len(set(key))} of them different. A good one:"
            " python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
        )


def required_secret(name: str, environment: Mapping[str, str] = os.environ) -> str:
    """The secret; raises `MissingSecret` also when it is empty."""
    value = secret(name, environment)
    if not value:
        raise MissingSecret(f"{name} is not set (nor a file {name}_FILE).")
    return value


def with_password(url: str, name: str, environment: Mapping[str, str] = os.environ) -> str:
    """The URL with the secret of this name as its password; without that secret as it is."""
    password = secret(name, environment)
    if not password:
        return url
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    login = f"{parts.username or ''}:{quote(password, safe='')}"
    return parts._replace(netloc=f"{login}@{host}").geturl()
