"""Battery physics for arrays of homes: capacity, power, efficiency, state-of-charge window."""

from dataclasses import dataclass, fields

import numpy as np

from devices.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryBank:
    """Ratings of one battery per home; every field has shape (homes,).

    Raises
    ------
    ValueError
        If shapes differ or a rating is not finite and inside its range.
    """

    capacity_wh: FloatArray
    """Nominal capacity, > 0. [Wh]"""
    power_max_w: FloatArray
    """Greatest power into or out of the cells, >= 0 (§3). [W]"""
    charge_efficiency: FloatArray
    """η_c, cells over terminals when charging, 0 < η <= 1."""
    discharge_efficiency: FloatArray
    """η_d, terminals over cells when discharging, 0 < η <= 1."""
    soc_min: FloatArray
    """Lower end of the window in use, 0..1."""
    soc_max: FloatArray
    """Upper end of the window in use, soc_min..1."""

    def __post_init__(self) -> None:
        shape = self.capacity_wh.shape
        for field in fields(self):
            values = getattr(self, field.name)
            if values.ndim != 1 or values.shape != shape:
                msg = f"battery {field.name} has shape {values.shape}, capacity_wh {shape}"
                raise ValueError(msg)
        _require("capacity_wh", self.capacity_wh, self.capacity_wh > 0, "> 0")
        _require("power_max_w", self.power_max_w, self.power_max_w >= 0, ">= 0")
        for name in ("charge_efficiency", "discharge_efficiency"):
            values = getattr(self, name)
            _require(name, values, (values > 0) & (values <= 1), "in (0, 1]")
        _require("soc_min", self.soc_min, self.soc_min >= 0, ">= 0")
        inside = (self.soc_max >= self.soc_min) & (self.soc_max <= 1)
        _require("soc_max", self.soc_max, inside, "in [soc_min, 1]")

    @classmethod
    def uniform(
        cls,
        homes: int,
        *,
        capacity_wh: float = 10_300.0,
        power_max_w: float = 5_300.0,
        efficiency: float = 0.9,
        soc_min: float = 0.0,
        soc_max: float = 1.0,
    ) -> "BatteryBank":
        """Return ``homes`` equal batteries; the defaults are Couraud 2021's. [Wh, W]"""
        return cls(
            capacity_wh=np.full(homes, capacity_wh),
            power_max_w=np.full(homes, power_max_w),
            charge_efficiency=np.full(homes, efficiency),
            discharge_efficiency=np.full(homes, efficiency),
            soc_min=np.full(homes, soc_min),
            soc_max=np.full(homes, soc_max),
        )

    @property
    def homes(self) -> int:
        """Number of batteries."""
        return int(self.capacity_wh.shape[0])

    def pick(self, home: IntArray) -> "BatteryBank":
        """Return the batteries of some homes, one per entry of ``home``."""
        return BatteryBank(
            **{field.name: getattr(self, field.name)[home] for field in fields(self)}
        )

    def cell_power_w(self, battery_power_w: FloatArray) -> FloatArray:
        """Return what the cells take at a terminal power, both > 0 when charging. [W]"""
        return np.where(
            battery_power_w >= 0,
            battery_power_w * self.charge_efficiency,
            battery_power_w / self.discharge_efficiency,
        )

    def terminal_power_w(self, cell_power_w: FloatArray) -> FloatArray:
        """Return the terminal power at a cell power, both > 0 when charging. [W]"""
        return np.where(
            cell_power_w >= 0,
            cell_power_w / self.charge_efficiency,
            cell_power_w * self.discharge_efficiency,
        )

    def window_wh(self, stored_wh: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the lowest and highest energy the cells may go to from where they are.

        Parameters
        ----------
        stored_wh : FloatArray, shape (homes,)
            Energy in the cells now. [Wh]

        Returns
        -------
        tuple[FloatArray, FloatArray]
            The window in use, widened to hold ``stored_wh``: a battery found outside its window
            may stay or come back but not go further out. [Wh]
        """
        low_wh = np.minimum(self.soc_min * self.capacity_wh, stored_wh)
        high_wh = np.maximum(self.soc_max * self.capacity_wh, stored_wh)
        return low_wh, high_wh

    def advance(
        self, stored_wh: FloatArray, battery_power_w: FloatArray, step_s: float
    ) -> tuple[FloatArray, FloatArray]:
        """Hold a wanted terminal power for a step, as far as power and window allow.

        Parameters
        ----------
        stored_wh : FloatArray, shape (homes,)
            Energy in the cells at the start. [Wh]
        battery_power_w : FloatArray, shape (homes,)
            Wanted terminal power, > 0 charges. [W]
        step_s : float
            Length of the step. [s]

        Returns
        -------
        tuple[FloatArray, FloatArray]
            Energy in the cells at the end [Wh], and mean terminal power over the step. [W]
        """
        step_h = step_s / 3600
        low_wh, high_wh = self.window_wh(stored_wh)
        wanted_w = np.clip(self.cell_power_w(battery_power_w), -self.power_max_w, self.power_max_w)
        after_wh = np.clip(stored_wh + wanted_w * step_h, low_wh, high_wh)
        return after_wh, self.terminal_power_w((after_wh - stored_wh) / step_h)


def _require(name: str, values: FloatArray, holds: BoolArray, wanted: str) -> None:
    """Raise for the first home whose rating is not finite or out of range."""
    bad = np.flatnonzero(~(holds & np.isfinite(values)))
    if bad.size:
        msg = f"battery {name} of home {bad[0]} is {values[bad[0]]:g}, must be {wanted}"
        raise ValueError(msg)
