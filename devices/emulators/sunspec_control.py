"""What a SunSpec device does of its models for control: 124 (percent) and 704 (watts)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from devices.drivers.sunspec_codec import Scalar
from devices.emulators.house import Rule
from devices.emulators.modbus_frames import ILLEGAL_ADDRESS, ILLEGAL_VALUE, RefusalError

Values = Mapping[str, Scalar]

_LIMIT_CHARGE: Final = 1
_LIMIT_DISCHARGE: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SunSpecMake:
    """What is built into an emulated SunSpec device."""

    chain: tuple[int, ...] = (103, 120, 124, 203, 701, 702, 704, 713, 714, 802)
    """Its models after the common one, in their order."""
    capacity_wh: float = 10_000.0
    """Nominal capacity that it shows. [Wh]"""
    power_max_w: float = 5_000.0
    """Greatest charge and discharge power that it shows. [W]"""
    timed: bool = True
    """Whether its control has a reversion time."""
    unit: int = 1
    """Its unit identifier."""
    base: int = 40_000
    """Register where the chain begins."""
    serial: bool = False
    """Speaks RTU on a pseudo-terminal instead of TCP."""
    one_client: bool = False
    """Drops a second connection at once while there is one."""
    idle_s: float | None = None
    """Closes a connection on which nothing is asked for so long. [s]"""
    answer_s: float = 0.0
    """How long an answer takes over TCP, in real time. [s]"""


class Control(Protocol):
    """One model for control."""

    writable: Mapping[str, tuple[float, float]]
    """Least and greatest value of each point that can be written."""

    def rule(self, values: Values, make: SunSpecMake) -> Rule | None:
        """Return what the battery does; None for self-consumption."""
        ...

    def timer_s(self, values: Values, written: Collection[str]) -> float | None:
        """Return the reversion time that a write starts, 0 for none; None if it starts nothing."""
        ...

    def reverted(self, values: Values) -> Values:
        """Return what changes when the reversion time is over."""
        ...


class Storage124:
    """Model 124: a window of power in percent, its two sides active or not.

    The battery follows residual demand inside the window: at least ``-OutWRte``, at most ``InWRte``
    percent of ``WChaMax``, > 0 charging. A side below zero forces the other direction. Where they
    contradict, as between two writes of a client that changes them one by one, the upper holds.
    """

    writable: Mapping[str, tuple[float, float]] = {
        "StorCtl_Mod": (0, 3),
        "MinRsvPct": (0, 100),
        "OutWRte": (-100, 100),
        "InWRte": (-100, 100),
        "InOutWRte_WinTms": (0, 65_534),
        "InOutWRte_RvrtTms": (0, 65_534),
        "InOutWRte_RmpTms": (0, 65_534),
        "ChaGriSet": (0, 1),
    }

    def rule(self, values: Values, make: SunSpecMake) -> Rule | None:
        """See `Control`."""
        mode = int(number(values, "StorCtl_Mod"))
        if not mode & (_LIMIT_CHARGE | _LIMIT_DISCHARGE):
            return None
        share_w = make.power_max_w / 100
        upper_w = number(values, "InWRte") * share_w if mode & _LIMIT_CHARGE else make.power_max_w
        lower_w = -make.power_max_w
        if mode & _LIMIT_DISCHARGE:
            lower_w = -number(values, "OutWRte") * share_w
        from_grid = number(values, "ChaGriSet") == 1

        def window(load_w: float, pv_w: float) -> float:
            wanted_w = min(max(pv_w - load_w, lower_w), upper_w)
            return wanted_w if from_grid else min(wanted_w, pv_w)

        return window

    def timer_s(self, values: Values, written: Collection[str]) -> float | None:
        """See `Control`: any write of a rate, the mode or the time itself starts it anew."""
        if not {"OutWRte", "InWRte", "StorCtl_Mod", "InOutWRte_RvrtTms"} & set(written):
            return None
        return number(values, "InOutWRte_RvrtTms")

    def reverted(self, values: Values) -> Values:
        """See `Control`."""
        del values
        return {"StorCtl_Mod": 0}


class ActivePower704:
    """Model 704: a set-point of active power, > 0 into the grid, for the battery."""

    writable: Mapping[str, tuple[float, float]] = {
        "WSetEna": (0, 1),
        "WSetMod": (0, 1),
        "WSet": (-1e6, 1e6),
        "WSetRvrt": (-1e6, 1e6),
        "WSetPct": (-100, 100),
        "WSetPctRvrt": (-100, 100),
        "WSetEnaRvrt": (0, 1),
        "WSetRvrtTms": (0, 2**32 - 2),
    }

    def rule(self, values: Values, make: SunSpecMake) -> Rule | None:
        """See `Control`."""
        if number(values, "WSetEna") != 1:
            return None
        power_w = -number(values, "WSet")
        if number(values, "WSetMod") == 0:
            power_w = -number(values, "WSetPct") * make.power_max_w / 100
        return lambda _load_w, _pv_w: power_w

    def timer_s(self, values: Values, written: Collection[str]) -> float | None:
        """See `Control`: enabling or the time itself starts it."""
        if not {"WSetEna", "WSetRvrtTms"} & set(written):
            return None
        return number(values, "WSetRvrtTms")

    def reverted(self, values: Values) -> Values:
        """See `Control`."""
        return {
            "WSetEna": values["WSetEnaRvrt"] or 0,
            "WSet": values["WSetRvrt"] or 0,
            "WSetPct": values["WSetPctRvrt"] or 0,
        }


RULES: Final[Mapping[int, Control]] = {124: Storage124(), 704: ActivePower704()}
"""The models for control, by their number."""


def check_write(model_id: int, name: str, values: Values) -> None:
    """Refuse a write of a point that is read-only, absent, or holds no such value."""
    control = RULES.get(model_id)
    if control is None or name not in control.writable:
        raise RefusalError(ILLEGAL_ADDRESS)
    least, most = control.writable[name]
    value = values[name]
    if not isinstance(value, int | float) or not least <= value <= most:
        raise RefusalError(ILLEGAL_VALUE)


def number(values: Values, name: str) -> float:
    """Return a number of a model, 0 where it is not implemented."""
    value = values.get(name)
    return value if isinstance(value, int | float) else 0
