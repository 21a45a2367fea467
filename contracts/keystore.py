"""Private keys in encrypted files, as Geth and most wallets read them (Web3 Secret Storage).

A key leaves its file only as a `LocalAccount`, which signs; neither it nor its passphrase is ever
part of a message.
"""

import json
import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address

from contracts.errors import LedgerError

PASSPHRASE_MIN = 8
"""Characters that a new passphrase has at least."""
SCRYPT_N = 1 << 18
"""Work to try one passphrase: about a second, and 256 MiB of memory."""
SCRYPT_N_LIGHT = 1 << 12
"""The same for small computers: 20 ms and 4 MiB, for a guesser too."""
SCRYPT_BYTES_MAX = 1 << 30
"""Memory that a file may ask for; ours ask for a quarter of it. [bytes]"""

_NAME = re.compile(r"^UTC--.+--([0-9a-f]{40})$")
_LEGIBLE = 1 << 16
"""Bytes of a file that are read; a keystore has some five hundred."""

_NESTED_MAX = 100
"""Brackets that are opened in a file; a keystore has four."""


class KeystoreError(LedgerError):
    """A key cannot be had: its file, its folder or its passphrase is not as it should be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keystore:
    """Name a file that holds a key, without opening it."""

    address: str
    """The account whose key it holds, as far as the file says."""
    path: Path
    """Where it is."""


def keystores(folder: Path) -> list[Keystore]:
    """Return the keystores in ``folder``, the oldest first where they bear Geth's names.

    Files that are no keystores are passed over; a folder that is absent holds none.
    """
    try:
        visible = (path for path in folder.iterdir() if not path.name.startswith("."))
        paths = sorted(path for path in visible if path.is_file())
    except FileNotFoundError:
        return []
    except OSError as error:
        msg = f"keys folder {folder} cannot be read ({error.strerror}); name another with --keys"
        raise KeystoreError(msg) from error
    named = ((path, _stated_address(path)) for path in paths)
    return [Keystore(address=address, path=path) for path, address in named if address]


def find_keystore(folder: Path, address: str) -> Keystore:
    """Return the one keystore of ``address`` in ``folder``, or raise `KeystoreError`."""
    found = [each for each in keystores(folder) if each.address == address]
    if not found:
        msg = f"no key of {address} in {folder}; name its folder with --keys"
        raise KeystoreError(msg)
    if len(found) > 1:
        names = " and ".join(each.path.name for each in found)
        msg = f"{folder} holds the key of {address} in {names}; move all but one elsewhere"
        raise KeystoreError(msg)
    return found[0]


def unlock(keystore: Keystore, passphrase: str) -> LocalAccount:
    """Return the account of ``keystore``, ready to sign.

    Raises
    ------
    KeystoreError
        If the passphrase is wrong, or the file is damaged or holds another account's key.
    """
    body = _read(keystore.path)
    _check_form(keystore.path, body)
    try:
        account: LocalAccount = Account.from_key(Account.decrypt(body, passphrase))
    except Exception as error:
        # The library tells a wrong passphrase by this text only. Nothing of its other errors is
        # passed on, since they may quote what they were given.
        if "MAC mismatch" in str(error):
            msg = f"wrong passphrase for {keystore.path}, or the file is damaged; try again"
            raise KeystoreError(msg) from None
        raise _damaged(keystore.path) from None
    if account.address != keystore.address:
        msg = f"keystore {keystore.path} holds the key of {account.address}, not of the "
        msg += f"{keystore.address} that it states; restore it from its backup"
        raise KeystoreError(msg)
    return account


def new_keystore(
    folder: Path, passphrase: str, *, created: datetime, light: bool = False
) -> Keystore:
    """Make a new account and keep its key in ``folder``, which is made where it is absent.

    Parameters
    ----------
    folder : Path
        Where to; only its owner may enter it.
    passphrase : str
        What opens it again; there is no other way.
    created : datetime
        The time now, for the file's name.
    light : bool
        Take `SCRYPT_N_LIGHT`, for computers with little memory.

    Raises
    ------
    KeystoreError
        If the passphrase is too short, or the file cannot be written.
    """
    if len(passphrase) < PASSPHRASE_MIN:
        msg = f"passphrase has {len(passphrase)} characters; give {PASSPHRASE_MIN} or more"
        raise KeystoreError(msg)
    _make_private(folder)
    account: LocalAccount = Account.create()
    work = SCRYPT_N_LIGHT if light else SCRYPT_N
    body = Account.encrypt(account.key, passphrase, kdf="scrypt", iterations=work)
    digits = account.address[2:].lower()
    body["address"] = digits  # as Geth writes it
    path = folder / f"UTC--{created:%Y-%m-%dT%H-%M-%S.%f}000Z--{digits}"
    _write_private(path, json.dumps(body))
    return Keystore(address=account.address, path=path)


def read_passphrase(path: Path) -> str:
    """Return the passphrase in a file of one line that nobody but its owner may read."""
    try:
        with path.open("rb") as file:
            if os.name == "posix" and stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                msg = f"passphrase file {path} is open to others; run `chmod 600 {path}`"
                raise KeystoreError(msg)
            text = file.read(_LEGIBLE).decode()
    except OSError as error:
        msg = f"passphrase file {path} cannot be read ({error.strerror}); name another"
        raise KeystoreError(msg) from error
    except UnicodeDecodeError:
        # without its cause, which quotes what was read
        msg = f"passphrase file {path} is not text in UTF-8; save it as such"
        raise KeystoreError(msg) from None
    lines = text.splitlines()
    if len(lines) != 1 or not lines[0]:
        msg = f"passphrase file {path} has {len(lines)} lines; write the passphrase into one"
        raise KeystoreError(msg)
    return lines[0]


def _stated_address(path: Path) -> str | None:
    """Return the account a file is of by its name, else by its contents; None if it is neither."""
    named = _NAME.match(path.name)
    if named:
        return str(to_checksum_address(named[1]))
    try:
        body = _read(path)
    except KeystoreError:
        return None
    stated = body.get("address")
    digits = stated.removeprefix("0x") if isinstance(stated, str) else ""
    if "crypto" not in {key.lower() for key in body} or not re.fullmatch("[0-9a-fA-F]{40}", digits):
        return None
    return str(to_checksum_address(digits.lower()))


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            text = file.read(_LEGIBLE)
    except OSError as error:
        msg = f"keystore {path} cannot be read ({error.strerror}); mend its permissions"
        raise KeystoreError(msg) from error
    # eth_account raises Python's recursion limit so far that deep nesting would end the process.
    if text.count(b"[") + text.count(b"{") > _NESTED_MAX:
        raise _damaged(path)
    try:
        body = json.loads(text)
    except ValueError:
        raise _damaged(path) from None
    if not isinstance(body, dict):
        raise _damaged(path)
    return body


def _check_form(path: Path, body: dict[str, Any]) -> None:
    """Raise unless ``body`` is of version 3 and asks for no more memory than there may be."""
    if body.get("version") != 3:
        raise _damaged(path)
    crypto = {key.lower(): value for key, value in body.items()}.get("crypto")
    work = crypto.get("kdfparams") if isinstance(crypto, dict) else None
    if not isinstance(work, dict):
        raise _damaged(path)
    factors: Sequence[object] = [work.get("n", 1), work.get("r", 1), work.get("p", 1)]
    sizes = [each for each in factors if isinstance(each, int) and each > 0]
    if len(sizes) != len(factors) or 128 * sizes[0] * sizes[1] > SCRYPT_BYTES_MAX:
        raise _damaged(path)


def _damaged(path: Path) -> KeystoreError:
    return KeystoreError(f"keystore {path} is damaged; restore it from its backup")


def _make_private(folder: Path) -> None:
    """Make ``folder`` for its owner alone, or raise where it is open to others."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        mode = stat.S_IMODE(folder.stat().st_mode)
    except OSError as error:
        msg = f"keys folder {folder} cannot be made ({error.strerror}); name another with --keys"
        raise KeystoreError(msg) from error
    if os.name == "posix" and mode & 0o077:
        msg = f"keys folder {folder} is open to others; run `chmod 700 {folder}`"
        raise KeystoreError(msg)


def _write_private(path: Path, text: str) -> None:
    """Write a new file for its owner alone, wholly or not at all."""
    unfinished = path.with_name(f".{path.name}.new")
    try:
        with os.fdopen(
            os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
        ) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        msg = f"keystore {path} cannot be written ({error.strerror}); name another folder"
        raise KeystoreError(msg) from error
