"""An order in the words of a terminal, turned into what the service is asked (pure)."""

import re
from typing import Final

from aggregator.service.commands.errors import OrderInputError

_SHARES: Final = ("charge", "discharge")
_SIGNS: Final = {"import": 1.0, "export": -1.0}
PLAIN: Final = ("stop", "release")
"""What needs no more words."""
WHATS: Final = (*_SHARES, *_SIGNS, "profile", *PLAIN, "read")
"""What can be asked of a battery."""
_UNITS_W: Final = {"w": 1.0, "kw": 1_000.0}
_UNITS_S: Final = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3_600.0}
_MINUTE_S: Final = 60.0


def target_of(text: str) -> str:
    """Return the service's name of whom an order is for; a bare name is a home's."""
    return text if text == "fleet" or ":" in text else f"home:{text}"


def seconds(text: str) -> float:
    """Return a time such as ``90s``, ``15m`` or ``2h``. [s]

    Raises
    ------
    OrderInputError
        If it is none.
    """
    value, unit = _measured(text)
    if value <= 0 or unit not in _UNITS_S:
        msg = f"{text!r} is no time; give one such as 90s, 15m or 2h"
        raise OrderInputError(msg)
    return value * _UNITS_S[unit]


def command_of(
    what: str, amount: str | None, *, length_s: float | None, backup_percent: float | None
) -> dict[str, object]:
    """Return the command that words mean.

    Parameters
    ----------
    what : str
        One of `WHATS`.
    amount : str, optional
        ``50%`` of the rated power to charge or discharge at, ``2kW`` to import or export at the
        grid connection, or the quantity to read.
    length_s : float, optional
        For how long. [s]
    backup_percent : float, optional
        What a profile keeps of the capacity. [%]

    Raises
    ------
    OrderInputError
        If a word is missing, or means nothing here.
    """
    if backup_percent is not None and what != "profile":
        msg = f"--backup means nothing to {what}; it is what a profile keeps"
        raise OrderInputError(msg)
    if what in {*PLAIN, "profile"}:
        return _standing(what, amount, length_s=length_s, backup_percent=backup_percent)
    if amount is None:
        msg = f"{what} needs to know {_wanted(what)}"
        raise OrderInputError(msg)
    if what == "read":
        return {"read": amount}
    if length_s is None:
        msg = f"{what} needs a time; give one such as --for 15m"
        raise OrderInputError(msg)
    interval = {"interval": length_s / _MINUTE_S}
    if what in _SHARES:
        return {"write": what, "power": _share(what, amount), **interval}
    power_w = _SIGNS[what] * _power_w(what, amount)
    return {"write": "power reference", "power_w": power_w, **interval}


def _standing(
    what: str, amount: str | None, *, length_s: float | None, backup_percent: float | None
) -> dict[str, object]:
    """Return a command that stands until the next one."""
    if amount is not None or length_s is not None:
        msg = f"{what} takes neither a power nor a time: it stands until the next order"
        raise OrderInputError(msg)
    if what in PLAIN:
        return {"write": what}
    kept = {} if backup_percent is None else {"backup": backup_percent}
    return {"write": "profile", "profile": "self-consumption", **kept}


def _share(what: str, amount: str) -> float:
    value, unit = _measured(amount)
    if unit != "%" or not 0 <= value <= 100:
        msg = (
            f"{what} takes a share of the battery's rated power such as 50%, not {amount!r}; "
            "for a power at the grid connection give import 2kW or export 2kW"
        )
        raise OrderInputError(msg)
    return value


def _power_w(what: str, amount: str) -> float:
    value, unit = _measured(amount)
    if unit not in _UNITS_W:
        msg = f"{what} takes a power such as 500W or 2kW, not {amount!r}"
        raise OrderInputError(msg)
    return value * _UNITS_W[unit]


def _measured(text: str) -> tuple[float, str]:
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?) ?(%|[A-Za-z]{1,3})", text, re.ASCII)
    return (float(found[1]), found[2].lower()) if found else (-1.0, "")


def _wanted(what: str) -> str:
    if what == "read":
        return 'which quantity, such as "State of charge"'
    return "a share such as 50%" if what in _SHARES else "a power such as 2kW"
