"""One-way efficiency of a battery and its converter over C-rate and state of charge."""

from dataclasses import dataclass

import numpy as np

from devices.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class EfficiencyTable:
    """One-way efficiency over C-rate and state of charge, converter included.

    Bilinear between the grid's points and flat beyond its ends.

    Raises
    ------
    ValueError
        If a shape or a value is out of range, or if more power into one side would be less out of
        the other.
    """

    c_rates: FloatArray
    """Cell power over capacity, rising, >= 0, shape (rates,). [1/h]"""
    socs: FloatArray
    """State of charge, rising, shape (socs,)."""
    charge: FloatArray
    """Cells over terminals when charging, 0 < η <= 1, shape (homes, rates, socs)."""
    discharge: FloatArray
    """Terminals over cells when discharging, 0 < η <= 1, shape (homes, rates, socs)."""

    def __post_init__(self) -> None:
        for name in ("c_rates", "socs"):
            values = getattr(self, name)
            require_rising(f"efficiency {name}", values)
        require_range("efficiency c_rates", self.c_rates, 0, np.inf)
        for name in ("charge", "discharge"):
            values = getattr(self, name)
            if values.ndim != 3 or values.shape[1:] != (self.c_rates.size, self.socs.size):
                msg = (
                    f"{name} efficiency has shape {values.shape}, must be "
                    f"(homes, {self.c_rates.size}, {self.socs.size})"
                )
                raise ValueError(msg)
            require_range(f"{name} efficiency", values, np.nextafter(0, 1), 1)
            _require_monotone(name, values, self.c_rates)

    @classmethod
    def constant(cls, charge: FloatArray, discharge: FloatArray) -> "EfficiencyTable":
        """Return the table of efficiencies that nothing changes, each of shape (homes,)."""
        return cls(
            c_rates=np.zeros(1),
            socs=np.zeros(1),
            charge=charge[:, None, None],
            discharge=discharge[:, None, None],
        )

    @classmethod
    def separable(
        cls, homes: int, *, by_c_rate: dict[float, float], by_soc: dict[float, float]
    ) -> "EfficiencyTable":
        """Return the same table for each home and direction: a product of two curves."""
        rates, socs = np.array([*by_c_rate]), np.array([*by_soc])
        product = np.outer([*by_c_rate.values()], [*by_soc.values()])
        table = np.broadcast_to(product, (homes, rates.size, socs.size))
        return cls(c_rates=rates, socs=socs, charge=table, discharge=table)

    def cell_rate(self, terminal_rate: FloatArray, soc: FloatArray) -> FloatArray:
        """Return the cells' C-rate at a terminal power over capacity, both > 0 charging. [1/h]"""
        size = np.abs(terminal_rate)
        charging = terminal_rate >= 0
        knots = self._at(soc, charging)
        ends = np.where(charging[:, None], self.c_rates / knots, self.c_rates * knots)
        a, b = self._line(knots, np.sum(size[:, None] >= ends, axis=1))
        # charging: u = x / (a + b x); discharging: u = x (a + b x), written to hold for b = 0
        charge = a * size / np.where(charging, 1 - b * size, 1.0)
        root = np.sqrt(np.where(charging, 0.0, a * a + 4 * b * size))
        discharge = 2 * size / (a + root)
        return np.where(charging, charge, -discharge)

    def terminal_rate(self, cell_rate: FloatArray, soc: FloatArray) -> FloatArray:
        """Return the terminal power over capacity at a C-rate, both > 0 charging. [1/h]"""
        charging = cell_rate >= 0
        size = np.abs(cell_rate)
        a, b = self._line(self._at(soc, charging), np.sum(size[:, None] >= self.c_rates, axis=1))
        efficiency = a + b * size
        return np.where(charging, cell_rate / efficiency, cell_rate * efficiency)

    def _at(self, soc: FloatArray, charging: BoolArray) -> FloatArray:
        """Return the efficiency at each C-rate of the grid, shape (homes, rates)."""
        table = self.charge
        if self.discharge is not self.charge:
            table = np.where(charging[:, None, None], self.charge, self.discharge)
        if self.socs.size == 1:
            return table[:, :, 0]
        upper = np.clip(np.searchsorted(self.socs, soc), 1, self.socs.size - 1)
        below, above = self.socs[upper - 1], self.socs[upper]
        share = np.clip((soc - below) / (above - below), 0, 1)[:, None]
        home = np.arange(soc.size)
        return table[home, :, upper - 1] * (1 - share) + table[home, :, upper] * share

    def _line(self, knots: FloatArray, segment: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return a and b of η = a + b·rate on each home's segment; 0 and the last are flat."""
        home = np.arange(knots.shape[0])
        last = self.c_rates.size - 1
        low, high = np.maximum(segment - 1, 0), np.minimum(segment, last)
        width = np.where(high > low, self.c_rates[high] - self.c_rates[low], 1.0)
        slope = (knots[home, high] - knots[home, low]) / width
        return knots[home, low] - slope * self.c_rates[low], slope


def require_rising(name: str, values: FloatArray) -> None:
    """Raise unless a grid is one line of finite, rising numbers."""
    if values.ndim != 1 or not values.size or not np.all(np.isfinite(values)):
        msg = f"battery {name} must be one line of finite numbers, is {values}"
        raise ValueError(msg)
    if np.any(np.diff(values) <= 0):
        msg = f"battery {name} must rise, is {values}"
        raise ValueError(msg)


def require_range(name: str, values: FloatArray, low: float, high: float) -> None:
    """Raise for the first value that is not finite or out of range."""
    bad = values[~(np.isfinite(values) & (values >= low) & (values <= high))]
    if bad.size:
        msg = f"battery {name} is {bad[0]:g}, must be in {low:g}..{high:g}"
        raise ValueError(msg)


def _require_monotone(name: str, table: FloatArray, c_rates: FloatArray) -> None:
    """Raise unless on every segment η = a + b·rate more at one side is more at the other."""
    slopes = np.diff(table, axis=1) / np.diff(c_rates)[:, None]
    if name == "charge":
        # d(x / (a + b x)) / dx has the sign of a
        holds = table[:, :-1] - slopes * c_rates[:-1, None] > 0
    else:
        # d(x (a + b x)) / dx = η + b x at both ends of a segment
        holds = (table[:, :-1] + slopes * c_rates[:-1, None] > 0) & (
            table[:, 1:] + slopes * c_rates[1:, None] > 0
        )
    if not np.all(holds):
        msg = f"battery {name} efficiency changes so fast that more power in is less power out"
        raise ValueError(msg)
