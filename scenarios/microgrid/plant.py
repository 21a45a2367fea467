"""The microgrid of Habib 2023: its battery, its inverter's limits and its droop."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from devices.battery_bank import BatteryBank
from devices.battery_model import BatteryModel
from hems.fuzzy.edge import NOMINAL_V, Limits

CAPACITY_AH: Final = 546.0
"""Table 1. [Ah]"""
PV_RATING_W: Final = 6_300.0
"""Table 1. [W]"""
LOAD_MAX_W: Final = 3_600.0
"""What each phase's programmable load draws at most, table 1. [W]"""
POWER_MAX_W: Final = 4_000.0
"""P_max of eq. (4), section 4. [W]"""
CARRIED_W: Final = 10_500.0
"""What three inverters of 3.5 kVA carry, whatever eq. (4) allows. [W]"""
EFFICIENCY: Final = 4_000.0 / 4_500.0
"""Of battery and converter, one way: the paper's 4.5 kW of battery are then its 4 kW of inverter.

It prints none. `devices.battery_chemistry.LEAD_ACID` has 0.89 at a tenth of the capacity per hour.
"""


def lead_acid_bank(homes: int) -> BatteryBank:
    """Return the paper's lead-acid bank, one per home.

    Notes
    -----
    Eq. (2) at 48 V: 546 Ah are 26.2 kWh. The window is physics: full, and a fifth left, where a
    lead-acid bank is cut off; that of eq. (5) is `Microgrid.soc_min` and ``soc_max``.
    """
    size = BatteryModel.lead_acid(
        homes, capacity_ah=CAPACITY_AH, voltage_nominal_v=NOMINAL_V, power_max_w=POWER_MAX_W
    ).bank
    return BatteryBank.uniform(
        homes,
        capacity_wh=float(size.capacity_wh[0]),
        power_max_w=CARRIED_W / EFFICIENCY,
        efficiency=EFFICIENCY,
        soc_min=float(size.soc_min[0]),
        soc_max=float(size.soc_max[0]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Microgrid:
    """A microgrid per home; limits are shared by all.

    Raises
    ------
    ValueError
        If a limit is out of range.

    Notes
    -----
    With the relay closed the battery holds its set-point, but for the droop, and the grid takes the
    rest. With the relay open it takes what the balance leaves, eq. (1) with α = 0. It then forms
    the frequency, which rises by ``droop_hz`` at ``power_max_w``; beyond, the PV inverters give
    less, down to nothing ``fade_hz`` higher. The paper tells of this control and prints no number.
    """

    bank: BatteryBank = field(default_factory=lambda: lead_acid_bank(1))
    """Batteries; their window and power are what physics allows."""
    power_max_w: float = POWER_MAX_W
    """P_max of eq. (4), > 0, at the inverter's terminals. [W]"""
    soc_min: float = 0.5
    """Lower limit of eq. (5)."""
    soc_max: float = 0.9
    """Upper limit of eq. (5)."""
    droop_hz: float = 1.0
    """Rise of an island's frequency at ``power_max_w``, > 0. [Hz]"""
    fade_hz: float = 1.0
    """Further rise over which PV fades out, > 0. [Hz]"""

    def __post_init__(self) -> None:
        for name in ("power_max_w", "droop_hz", "fade_hz"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                msg = f"microgrid {name} is {value:g}, must be > 0"
                raise ValueError(msg)
        if not 0 <= self.soc_min <= self.soc_max <= 1:
            msg = f"microgrid window is {self.soc_min:g} to {self.soc_max:g}, must rise within 0..1"
            raise ValueError(msg)

    @classmethod
    def of_homes(cls, homes: int) -> "Microgrid":
        """Return the paper's microgrid for each home."""
        return cls(bank=lead_acid_bank(homes))

    @property
    def homes(self) -> int:
        """Number of microgrids."""
        return self.bank.homes

    def limits(self, cycle_s: float) -> Limits:
        """Return what controllers work within: eq. (4), and eq. (5) with the battery's losses."""
        bank = self.bank
        return Limits(
            charge_max_w=self.power_max_w,
            discharge_max_w=self.power_max_w,
            capacity_wh=bank.capacity_wh,
            soc_min=self.soc_min,
            soc_max=self.soc_max,
            cycle_s=cycle_s,
            charge_efficiency=bank.charge_efficiency,
            discharge_efficiency=bank.discharge_efficiency,
        )
