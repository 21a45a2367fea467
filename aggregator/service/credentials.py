"""Secrets that the first start makes, each in a file that its owner alone reads."""

import hashlib
import hmac
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from aggregator.service.errors import ServiceConfigError

SERVICE: Final = "service"
"""What the built-in broker calls us."""
BROKER_PASSWORD: Final = "broker.password"  # noqa: S105 -- a file's name
"""File with our password at the built-in broker."""
BROKER_USERS: Final = "broker.users"
"""File with who the built-in broker lets in: a name and a password's hash a line."""


def new_secret() -> str:
    """Return 256 random bits as text: nobody guesses them, so one round of a hash hides them."""
    return secrets.token_urlsafe(32)


def write_secret(path: Path, secret: str) -> None:
    """Write a file of one line that its owner alone reads, from its first byte on.

    Raises
    ------
    ServiceConfigError
        If it is there already, or the folder refuses.
    """
    with secret_file(path) as write:
        write(secret)


@contextmanager
def secret_file(path: Path) -> Iterator[Callable[[str], None]]:
    """Make such a file and yield what writes its line, for a secret that is made in between.

    Raises
    ------
    ServiceConfigError
        If it is there already, or the folder refuses.
    """
    try:
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(opened, "w", encoding="ascii") as file:

            def write(secret: str) -> None:
                file.write(f"{secret}\n")

            yield write
    except OSError as error:
        msg = f"{path}: cannot be written ({error.strerror}); check the folder"
        raise ServiceConfigError(msg) from error


def remove_secret(path: Path) -> None:
    """Remove such a file, where there is one.

    Raises
    ------
    ServiceConfigError
        If the folder refuses.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        msg = f"{path}: cannot be written anew ({error.strerror}); move it away"
        raise ServiceConfigError(msg) from error


class BrokerUsers:
    """Who may use the built-in broker, by the file of names and hashes.

    Parameters
    ----------
    path : Path
        The file; it need not be there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, name: str, secret: str) -> None:
        """Let somebody in; who is let in already is refused.

        Raises
        ------
        ServiceConfigError
            If the name is taken, or the file cannot be written.
        """
        if name in self._read():
            msg = f"{self._path}: {name} has a password already; remove its line for a new one"
            raise ServiceConfigError(msg)
        try:
            opened = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(opened, "a", encoding="ascii") as file:
                file.write(f"{name}:{_hash(secret)}\n")
        except OSError as error:
            msg = f"{self._path}: cannot be written ({error.strerror}); check the folder"
            raise ServiceConfigError(msg) from error

    def lets_in(self, name: str, secret: str) -> bool:
        """Return whether the secret is that of the name; the file is read anew each time."""
        known = self._read().get(name, "")
        return hmac.compare_digest(known, _hash(secret))

    def _read(self) -> dict[str, str]:
        try:
            lines = self._path.read_text("ascii").splitlines()
        except FileNotFoundError:
            return {}
        pairs = (line.partition(":") for line in lines)
        return {name: value for name, _, value in pairs}


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
