"""Prices on disk: what was published survives a restart, and a power cut in the middle of it."""

import json
import os
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from devices.errors import DeviceConfigError, DeviceReplyError
from devices.feeds.prices import PriceSeries

FORMAT: Final = 1
"""Of the file."""
KEPT: Final = timedelta(days=8)
"""How far back prices are kept: a week, and the day under way."""


class PriceCache:
    """Keep one source's prices in a small file.

    Parameters
    ----------
    path : Path, optional
        The file, made with its folder where it is missing; None keeps nothing.
    source : str
        Whose prices: those of another source in the file are not taken.
    """

    def __init__(self, path: Path | None, *, source: str) -> None:
        self._path = path
        self._source = source

    def load(self) -> PriceSeries | None:
        """Return what is kept; None where there is nothing, or another source's.

        Raises
        ------
        DeviceReplyError
            If the file is damaged; it is replaced with the next `save`.
        """
        if self._path is None:
            return None
        try:
            body = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            msg = f"kept prices {self._path} cannot be read ({error}); they are fetched again"
            raise DeviceReplyError(msg) from error
        try:
            if body["format"] != FORMAT or body["source"] != self._source:
                return None
            return _series(body)
        except (KeyError, TypeError, ValueError, OverflowError, DeviceReplyError) as error:
            msg = f"kept prices {self._path} are damaged ({error!r}); they are fetched again"
            raise DeviceReplyError(msg) from error

    def save(self, series: PriceSeries) -> None:
        """Replace the file, whole or not at all.

        Raises
        ------
        DeviceConfigError
            If it cannot be written, such as on a full disk; the old one stands then.
        """
        if self._path is None:
            return
        body = {
            "format": FORMAT,
            "source": self._source,
            "currency": series.currency,
            "begin": series.begin.isoformat(),
            "step_s": series.step_s,
            "price_per_mwh": series.price_per_mwh,
        }
        new = self._path.with_name(f"{self._path.name}.new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with new.open("w", encoding="utf-8") as file:
                json.dump(body, file)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._path)
        except OSError as error:
            with suppress(OSError):
                new.unlink(missing_ok=True)
            msg = f"kept prices {self._path} cannot be written ({error.strerror}); see to the disk"
            raise DeviceConfigError(msg) from error


def recent(series: PriceSeries, now: datetime) -> PriceSeries:
    """Return a series without what is too old to be of use."""
    return series.between(now - KEPT, max(series.end, now))


def _series(body: dict[str, object]) -> PriceSeries:
    begin = datetime.fromisoformat(str(body["begin"]))
    prices, step_s = body["price_per_mwh"], body["step_s"]
    numbers = isinstance(prices, list) and all(isinstance(p, int | float | None) for p in prices)
    if begin.tzinfo is None or not isinstance(step_s, int) or step_s < 1 or not numbers:
        msg = "a time without zone, a step or prices that are none"
        raise ValueError(msg)
    series = PriceSeries(
        currency=str(body["currency"]),
        begin=begin,
        step_s=step_s,
        price_per_mwh=tuple(prices),  # type: ignore[arg-type] # numbers, as seen above
    )
    return series.between(series.begin, series.end)  # each slot is looked at
