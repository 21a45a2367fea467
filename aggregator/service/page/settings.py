"""What the page is told: the table ``[page]``."""

import re
from dataclasses import dataclass
from typing import Final

PLACE: Final = "{transaction}"
"""Where an explorer's address takes the transaction's hash."""
_CURRENCY: Final = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSettings:
    """The page: the table ``[page]``.

    Raises
    ------
    ValueError
        If a value cannot be used.
    """

    currency: str = "GBP"
    """The fleet's currency, by its three letters."""
    explorer_url: str = ""
    """Where a transaction is shown, ``{transaction}`` being its hash; empty for nowhere."""

    def __post_init__(self) -> None:
        if _CURRENCY.fullmatch(self.currency) is None:
            msg = f"currency is {self.currency!r}; give three capitals, such as GBP"
            raise ValueError(msg)
        given = self.explorer_url
        # another scheme would run what an operator clicks
        if given and not (given.startswith(("https://", "http://")) and PLACE in given):
            msg = f"explorer_url is {given!r}; give https://… with {PLACE} in it"
            raise ValueError(msg)
