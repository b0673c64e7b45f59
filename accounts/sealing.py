"""Secrets that have to be read again, sealed with a key that the database does not hold."""

import base64

from cryptography.fernet import Fernet
from django.utils.crypto import salted_hmac


def seal(text: str) -> str:
    return _box().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """Raises InvalidToken when it was sealed with another SECRET_KEY, or changed."""
    return _box().decrypt(sealed.encode()).decode()


def _box() -> Fernet:
    key = salted_hmac("eqtrade.sealing", "second factor", algorithm="sha256").digest()
    return Fernet(base64.urlsafe_b64encode(key))
