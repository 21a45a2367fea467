"""Prices from a CSV file: what a user exported from a market, or made up for a test."""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from devices.errors import DeviceConfigError, DeviceReplyError
from devices.feeds.prices import PriceSeries, PriceSlot, series_of, slots_of_begins

ALONE_S: Final = 3600
"""Length of a slot in a file of one line. [s]"""
_COLUMNS: Final = ("begin", "price_per_mwh")


class PriceFile:
    """See `devices.feeds.prices.PriceSource`: the file is read anew each time it is asked.

    Parameters
    ----------
    path : Path
        A CSV file with the columns ``begin``, ``price_per_mwh`` and, if slots differ, ``end``.
        Times are ISO 8601; without an offset they are local times of the zone. An empty price is a
        hole.
    zone : ZoneInfo
        Zone of times without an offset. An hour that the clock shows twice is the summer's the
        first time it stands in the file and the winter's the second.
    currency : str
        ISO 4217 code of the prices.
    """

    def __init__(self, path: Path, *, zone: ZoneInfo, currency: str) -> None:
        self._path = path
        self._zone = zone
        self._currency = currency

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"price file {self._path.name}"

    @property
    def currency(self) -> str:
        """ISO 4217 code of its prices."""
        return self._currency

    async def prices(self, begin: datetime, end: datetime) -> PriceSeries:
        """See `PriceSource`.

        Raises
        ------
        DeviceConfigError
            If the file cannot be read, with its line where one is wrong.
        """
        return self.read().between(begin, end)

    def read(self) -> PriceSeries:
        """Return all of the file's prices."""
        try:
            with self._path.open(encoding="utf-8-sig", newline="") as file:
                rows = csv.DictReader(file)
                missing = [each for each in _COLUMNS if each not in (rows.fieldnames or ())]
                if missing:
                    msg = f"{self.name}: no column {', '.join(missing)}; its first line names them"
                    raise DeviceConfigError(msg)
                return self._series(rows)
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            msg = f"{self.name} cannot be read ({error}); name a CSV file"
            raise DeviceConfigError(msg) from error
        except OverflowError as error:
            msg = f"{self.name}: a time is beyond the calendar ({error}); correct it"
            raise DeviceConfigError(msg) from error
        except DeviceReplyError as error:
            msg = f"{self.name}: {error}"
            raise DeviceConfigError(msg) from error

    async def close(self) -> None:
        """See `PriceSource`: nothing is held."""

    def _series(self, rows: "csv.DictReader[str]") -> PriceSeries:
        slots: list[PriceSlot] = []
        begins: dict[datetime, float | None] = {}
        seen: set[datetime] = set()
        for begin, end, price in self._lines(rows, seen):
            if end is None:
                begins[begin] = price
            elif price is not None:
                slots.append(PriceSlot(begin=begin, end=end, price_per_mwh=price))
        slots += slots_of_begins(begins, last_s=ALONE_S)
        return series_of(slots, currency=self._currency)

    def _lines(
        self, rows: "csv.DictReader[str]", seen: set[datetime]
    ) -> Iterator[tuple[datetime, datetime | None, float | None]]:
        for row in rows:
            where = f"{self.name} line {rows.line_num}"
            begin = self._time(row["begin"], where)
            if begin in seen:
                begin = self._second(row["begin"])
            if begin in seen:
                msg = f"{where}: {row['begin']} stands there twice; leave one out"
                raise DeviceConfigError(msg)
            seen.add(begin)
            text = (row["price_per_mwh"] or "").strip()
            end = self._time(row["end"], where) if row.get("end") else None
            yield begin, end, _price(text, where) if text else None

    def _time(self, text: str | None, where: str) -> datetime:
        try:
            found = datetime.fromisoformat((text or "").strip())
        except ValueError:
            msg = f"{where}: {text!r} is no time; write 2026-06-01T12:00Z"
            raise DeviceConfigError(msg) from None
        if found.tzinfo is not None:
            return found.astimezone(UTC)
        utc = found.replace(tzinfo=self._zone).astimezone(UTC)
        if utc.astimezone(self._zone).replace(tzinfo=None) != found:
            msg = f"{where}: the clock of {self._zone.key} skips {text}; correct the time"
            raise DeviceConfigError(msg)
        return utc

    def _second(self, text: str | None) -> datetime:
        """Return a local time as the clock shows it for the second time."""
        found = datetime.fromisoformat((text or "").strip())
        return found.replace(tzinfo=found.tzinfo or self._zone, fold=1).astimezone(UTC)


def _price(text: str, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        msg = f"{where}: price {text!r} is no number; write 123.45 or leave it empty"
        raise DeviceConfigError(msg) from None
