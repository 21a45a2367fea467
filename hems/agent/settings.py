"""The tables of home.toml that are nobody else's: home, storage, controller."""

import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

import numpy as np

from devices.battery_bank import BatteryBank
from hems.agent.dispatching import DISPATCH_CONTROLLERS

EDGE_CONTROLLERS: Final = ("fuzzy", "soc-rules")
"""Controllers that decide by rules for one place, whether or not anything was promised."""
CONTROLLERS: Final = (
    *("mpc", "realtime-rules", "self-consumption"),
    *EDGE_CONTROLLERS,
    *DISPATCH_CONTROLLERS,
)
"""What ``[controller] kind`` may be."""
EDGE_DECIDE_S: Final = 600
"""t_j of `EDGE_CONTROLLERS` where none is given (Habib 2023, section 3.1). [s]"""
_ID: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeSettings:
    """Who and where: the table ``[home]``.

    Raises
    ------
    ValueError
        If a name cannot be used.
    """

    name: str
    """What people call the home."""
    device_id: str
    """What the fleet's messages call its gateway: letters, digits, ``_ . -``."""
    state_folder: Path
    """Folder of everything it remembers, its own; relative ones start at the file's folder."""

    def __post_init__(self) -> None:
        if not self.name.strip():
            msg = "name is empty; give one"
            raise ValueError(msg)
        if not _ID.fullmatch(self.device_id):
            msg = f"device_id is {self.device_id!r}; give up to 64 letters, digits, _ . -"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageSettings:
    """The battery's ratings as plans take them: the table ``[storage]``.

    Raises
    ------
    ValueError
        If a rating is out of range.
    """

    capacity_wh: float
    """Nominal capacity, > 0. [Wh]"""
    power_max_w: float
    """Greatest power into or out of the cells, > 0. [W]"""
    charge_efficiency: float = 0.95
    """Cells over terminals when charging, 0 < η <= 1."""
    discharge_efficiency: float = 0.95
    """Terminals over cells when discharging, 0 < η <= 1."""
    soc_min: float = 0.05
    """Lower end of the window in use, 0..1."""
    soc_max: float = 1.0
    """Upper end of the window in use, soc_min..1."""

    def __post_init__(self) -> None:
        self.bank()
        if not self.power_max_w > 0:
            msg = f"power_max_w is {self.power_max_w:g}; give the battery's rated power"
            raise ValueError(msg)

    def bank(self) -> BatteryBank:
        """Return the ratings as controllers take them, one home."""
        values = {each.name: np.array([float(getattr(self, each.name))]) for each in fields(self)}
        return BatteryBank(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerSettings:
    """Who decides and how often: the table ``[controller]``.

    Raises
    ------
    ValueError
        If there is no such controller or a time is out of range.
    """

    kind: str = "mpc"
    """One of `CONTROLLERS`."""
    decide_s: int = 60
    """t_j, from a decision to the next, 5..900; 600 for `EDGE_CONTROLLERS` if left out. [s]"""
    device_cycle_s: int = 2
    """From a reading of the devices to the next, 1..5. [s]"""

    def __post_init__(self) -> None:
        if self.kind not in CONTROLLERS:
            msg = f"kind is {self.kind!r}; give one of {', '.join(CONTROLLERS)}"
            raise ValueError(msg)
        if not 5 <= self.decide_s <= 900:
            msg = f"decide_s is {self.decide_s}; give 5..900 seconds"
            raise ValueError(msg)
        if not 1 <= self.device_cycle_s <= 5:
            msg = f"device_cycle_s is {self.device_cycle_s}; give 1..5 seconds"
            raise ValueError(msg)

    @property
    def hold_s(self) -> float:
        """How long a set-point outlives the decision behind it: a little over two. [s]"""
        return 2 * self.decide_s + 2.0 * self.device_cycle_s
