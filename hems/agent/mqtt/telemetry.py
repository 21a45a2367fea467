"""What a home's devices measured, as minimum, maximum, average and last value of each period.

The quantities are those of Burgio et al. 2023, Table 3, and the powers of the meter. What a device
does not tell, or tells too late, is left out: it is never a zero.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from devices.battery import BatteryState, MeterState
from devices.inverter_readings import InverterState
from devices.quantities import ABSORBED, DELIVERED, UNITS, Quantity, Window, directed
from hems.agent.reading import Reading

STORAGE: Final = "storage"
"""What messages call the battery with its inverter."""
METER: Final = "meter"
"""What messages call the meter at the grid connection."""
CONSUMPTION: Final = "consumption"
"""Detail of the meter: what the house takes."""
PRODUCTION: Final = "production"
"""Detail of the meter: what the sun gives."""
GRID: Final = "grid"
"""Detail of the meter: what the home takes from the grid, or delivers to it."""
# these two have one direction, also when they are zero
_ONE_WAY: Final = {CONSUMPTION: (ABSORBED, 1.0), PRODUCTION: (DELIVERED, -1.0)}


@dataclass(frozen=True, slots=True)
class Measurand:
    """What is measured: names of Burgio's fields, in the order of messages."""

    device: str
    """``storage`` or ``meter``."""
    details: str
    """Which part of the device, such as ``L1``; empty where there is but one."""
    quantity: Quantity
    """What."""


Row = dict[str, object]
"""One measurand's figures, as messages carry them."""


class Telemetry:
    """Samples of a period, one window for each measurand.

    Parameters
    ----------
    sample_s : float
        From a sample to the next; a reading that is older when it is sampled is too late. [s]
    period_s : float
        From a message to the next. [s]
    """

    def __init__(self, *, sample_s: float, period_s: float) -> None:
        self._sample_s = sample_s
        self._period_s = period_s
        self._latest: Reading | None = None
        self._sampled: Reading | None = None
        self._windows: dict[Measurand, Window] = {}
        self._ends: datetime | None = None

    def add(self, reading: Reading) -> None:
        """Keep the latest reading for the next sample."""
        self._latest = reading

    def sample(self, due: datetime, *, now_s: float) -> "list[tuple[datetime, list[Row]]]":
        """Take a sample; return the periods that are over with it, each with its rows.

        Parameters
        ----------
        due : datetime
            The moment that the sample stands for, aware; one at a period's end belongs to it.
        now_s : float
            The time by the clock that does not jump. [s]
        """
        over = []
        ends = self._end_of(due)
        if self._ends is not None and self._ends != ends:
            over.append((self._ends, self._close()))
        self._ends = ends
        reading = self._latest
        fresh = reading is not None and now_s - reading.monotonic_s <= self._sample_s
        if reading is not None and fresh and reading is not self._sampled:
            self._sampled = reading
            for measurand, value in measured(reading):
                self._windows.setdefault(measurand, Window()).add((value,))
        if due >= ends:
            over.append((ends, self._close()))
            self._ends = None
        return [(end, rows) for end, rows in over if rows]

    def _end_of(self, due: datetime) -> datetime:
        number = math.ceil(due.timestamp() / self._period_s)
        return datetime.fromtimestamp(number * self._period_s, UTC)

    def _close(self) -> list[Row]:
        rows = [row_of(measurand, window) for measurand, window in self._windows.items()]
        self._windows.clear()
        return rows


def rows_of(reading: Reading, quantity: Quantity) -> list[Row]:
    """Return the rows of one quantity of the storage in one reading: the answer to a read."""
    rows = []
    for measurand, value in measured(reading):
        if measurand.quantity is quantity and measurand.device == STORAGE:
            window = Window()
            window.add((value,))
            rows.append(row_of(measurand, window))
    return rows


def row_of(measurand: Measurand, window: Window) -> Row:
    """Return a measurand's figures; their sign is that of ``direction``, of the last value."""
    direction, figures = directed(measurand.quantity, window)
    if measurand.details in _ONE_WAY:
        direction, sign = _ONE_WAY[measurand.details]
        figures = window.figures(sign)
    return {
        "device": measurand.device,
        "details": measurand.details,
        "quantity": measurand.quantity.value,
        "direction": direction,
        "unit": UNITS[measurand.quantity],
        **figures,
    }


def measured(reading: Reading) -> Iterator[tuple[Measurand, float]]:
    """Yield what a reading tells that is a finite number; > 0 is absorbed."""
    if reading.battery is not None:
        yield from _finite(_of_battery(reading.battery))
    if reading.inverter is not None:
        yield from _finite(_of_inverter(reading.inverter))
    if reading.meter is not None:
        yield from _finite(_of_meter(reading.meter))


def _of_battery(battery: BatteryState) -> "Iterator[tuple[Measurand, float | None]]":
    yield Measurand(STORAGE, "", Quantity.ACTIVE_POWER), battery.battery_power_w
    yield Measurand(STORAGE, "", Quantity.STATE_OF_CHARGE), 100 * battery.soc
    yield Measurand(STORAGE, "", Quantity.TEMPERATURE), battery.temperature_c


def _of_inverter(inverter: InverterState) -> "Iterator[tuple[Measurand, float | None]]":
    yield Measurand(STORAGE, "", Quantity.FREQUENCY), inverter.frequency_hz
    for number, voltage_v in enumerate(inverter.phase_voltages_v, 1):
        yield Measurand(STORAGE, f"L{number}", Quantity.PHASE_VOLTAGE), voltage_v
    for number, current_a in enumerate(inverter.line_currents_a, 1):
        yield Measurand(STORAGE, f"L{number}", Quantity.LINE_CURRENT), current_a
    yield Measurand(STORAGE, "", Quantity.REACTIVE_POWER), inverter.reactive_power_var


def _of_meter(meter: MeterState) -> "Iterator[tuple[Measurand, float | None]]":
    yield Measurand(METER, CONSUMPTION, Quantity.ACTIVE_POWER), meter.load_w
    yield Measurand(METER, PRODUCTION, Quantity.ACTIVE_POWER), -meter.pv_w
    yield Measurand(METER, GRID, Quantity.ACTIVE_POWER), meter.grid_power_w


def _finite(
    told: "Iterator[tuple[Measurand, float | None]]",
) -> Iterator[tuple[Measurand, float]]:
    for measurand, value in told:
        if value is not None and math.isfinite(value):
            yield measurand, value
