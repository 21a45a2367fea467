"""From a table of a configuration file to a driver's settings, or one line on what is wrong."""

import stat
from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import TypeVar, get_args, get_type_hints

from devices.errors import DeviceConfigError

Settings = TypeVar("Settings")

_WIDER: dict[object, tuple[type, ...]] = {float: (float, int), Path: (str, Path)}
_WORDS: dict[object, str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    Path: "a file",
}


def read_settings(cls: type[Settings], table: Mapping[str, object], *, where: str) -> Settings:
    """Return the dataclass ``cls`` filled from a table.

    Parameters
    ----------
    cls : type
        A dataclass of fields of str, int, float, bool or Path, or one of these or None; what it
        refuses in ``__post_init__`` it raises as ``ValueError``.
    table : Mapping
        Keys and values as read from TOML or JSON.
    where : str
        What messages call the table, such as ``home.toml [battery]``.

    Raises
    ------
    DeviceConfigError
        For a key that is unknown, missing, of another type or out of range.
    """
    hints = get_type_hints(cls)
    known = {field.name: field for field in fields(cls)}  # type: ignore[arg-type] # a dataclass
    for key in table:
        if key not in known:
            msg = f"{where}: {key} is no setting here; it takes {', '.join(known)}"
            raise DeviceConfigError(msg)
    for name, field in known.items():
        missing = field.default is MISSING and field.default_factory is MISSING
        if missing and name not in table:
            msg = f"{where}: {name} is missing; give it"
            raise DeviceConfigError(msg)
    values = {key: _value(hints[key], value, f"{where}: {key}") for key, value in table.items()}
    try:
        return cls(**values)
    except ValueError as error:
        msg = f"{where}: {error}"
        raise DeviceConfigError(msg) from error


def _value(kind: type, value: object, place: str) -> object:
    """Return ``value`` as a setting of type ``kind``, which may be one of several or None."""
    wanted: list[type] = [each for each in get_args(kind) or (kind,) if each is not type(None)]
    for each in wanted:
        taken = _WIDER.get(each, (each,))
        if isinstance(value, taken) and (each is bool or not isinstance(value, bool)):
            return each(value)
    names = " or ".join(_WORDS[each] for each in wanted)
    shown = str(value).lower() if isinstance(value, bool) else repr(value)  # as TOML writes it
    msg = f"{place} is {shown}; give {names}"
    raise DeviceConfigError(msg)


def read_secret(path: Path) -> str:
    """Return the secret in a file's first line, such as a token or a password.

    Raises
    ------
    DeviceConfigError
        If the file is missing, empty, or readable by others than its owner.
    """
    try:
        mode = path.stat().st_mode
        text = path.read_text("utf-8")
    except OSError as error:
        msg = f"secret file {path} cannot be read ({error.strerror}); name a readable file"
        raise DeviceConfigError(msg) from error
    except UnicodeDecodeError:
        msg = f"secret file {path} cannot be read (it is no text); name a text file"
        raise DeviceConfigError(msg) from None  # the cause carries the file's bytes
    if stat.S_IMODE(mode) & 0o077:
        msg = f"secret file {path} can be read by others; run: chmod 600 {path}"
        raise DeviceConfigError(msg)
    secret = (text.splitlines() or [""])[0].strip()
    if not secret:
        msg = f"secret file {path} is empty; put the secret on its first line"
        raise DeviceConfigError(msg)
    return secret
