"""One emulated home: a battery, a house's demand and a clock, under a vendor's rule."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from devices.battery_model import BatteryModel
from devices.errors import DeviceRefusedError

Rule = Callable[[float, float], float]
"""Maps load and production to the wanted terminal power, > 0 charges. [W, W -> W]"""

MOST_CYCLES = 3_600
"""Cycles that one call computes at most; after a longer pause cycles are lengthened to fit."""
LONGEST_STEP_S = 60.0
"""Longest step of the battery's physics while nothing changes. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeState:
    """What an emulator may show of its home; always ``grid = load + battery - pv`` (§3)."""

    time_s: float
    """Time of this state, on the clock that the home was given. [s]"""
    soc: float
    """True state of charge, 0..1."""
    estimated_soc: float
    """State of charge that the battery believes and a vendor shows, 0..1."""
    battery_power_w: float
    """Terminal power, > 0 charges. [W]"""
    cell_temperature_c: float
    """Temperature of the cells. [°C]"""
    dc_voltage_v: float
    """Voltage of the cells at their terminals. [V]"""
    dc_current_a: float
    """Current into the cells, > 0 charges. [A]"""
    load_w: float
    """Consumption that is served, >= 0. [W]"""
    pv_w: float
    """Production that is used, >= 0. [W]"""
    grid_power_w: float
    """Power at the grid connection, > 0 imports; 0 when islanded. [W]"""
    charged_wh: float
    """Energy into the terminals since the start. [Wh]"""
    discharged_wh: float
    """Energy out of the terminals since the start. [Wh]"""
    imported_wh: float
    """Energy taken from the grid since the start, each cycle's demand counted as it began. [Wh]"""
    exported_wh: float
    """Energy given to the grid since the start, likewise. [Wh]"""
    unserved_w: float
    """Consumption that an islanded home could not serve, >= 0. [W]"""
    curtailed_w: float
    """Production that an islanded home could not use, >= 0. [W]"""


class EmulatedHome:
    """Behave like a home whose battery follows a rule, at a clock that the caller owns.

    Time passes only inside a call: each brings the home to the clock's time, cycle by cycle. At the
    start of a cycle the rule sees load and production and its answer is held for the cycle. A
    change of rule, limits or island starts a cycle. Not for use by two threads.

    Parameters
    ----------
    model : BatteryModel
        Battery, of one home.
    soc : float
        State of charge at the start, 0..1.
    clock : Callable[[], float]
        Returns the present time; a time before an earlier one counts as that one. [s]
    demand : Callable[[float], tuple[float, float]]
        Returns load and production at a time. [W, W]
    cycle_s : float
        Length of a device cycle, > 0. [s]

    Raises
    ------
    DeviceRefusedError
        If the model has not one home, or state of charge or cycle are out of range.

    Notes
    -----
    Reading changes nothing: however often `state` is called, cycles begin at the same times. Two
    things depend on how far apart calls are. Cycles that want the same power are computed in
    steps of at most `LONGEST_STEP_S`, over which efficiency and derating stand still. And after a
    pause of more than `MOST_CYCLES` cycles, those of the pause are lengthened to fit.
    """

    def __init__(
        self,
        *,
        model: BatteryModel,
        soc: float,
        clock: Callable[[], float],
        demand: Callable[[float], tuple[float, float]],
        cycle_s: float = 1.0,
    ) -> None:
        if model.bank.homes != 1:
            msg = f"emulated home: {model.bank.homes} batteries given, a home has one"
            raise DeviceRefusedError(msg)
        if not (math.isfinite(cycle_s) and cycle_s > 0):
            msg = f"emulated home: a device cycle of {cycle_s:g} s cannot be, must be > 0"
            raise DeviceRefusedError(msg)
        if not 0 <= soc <= 1:
            msg = f"emulated home: state of charge {soc:g} is not in 0..1"
            raise DeviceRefusedError(msg)
        self._model = model
        self._battery = model.start(np.array([soc]))
        self._clock = clock
        self._demand = demand
        self._cycle_s = cycle_s
        self._now_s = clock()
        self._rule: Rule | None = None
        self._until_s = math.inf
        self._charge_w = self._discharge_w = math.inf
        self._islanded = False
        self._charged_wh = self._discharged_wh = 0.0
        self._imported_wh = self._exported_wh = 0.0
        # what the house took beyond its production since the battery's last step, cycle by cycle
        self._net_w: list[tuple[float, float]] = []
        # cycles are counted from an origin; a cycle that has begun keeps what it wants
        self._origin_s, self._cycle = self._now_s, 0
        self._begun_w: float | None = None
        self._begun_net_w = 0.0

    @property
    def model(self) -> BatteryModel:
        """Ratings of the battery, for a vendor's nameplate."""
        return self._model

    @property
    def now_s(self) -> float:
        """Present time of the home, to count a vendor's watchdog from. [s]"""
        self.advance()
        return self._now_s

    @property
    def steered(self) -> bool:
        """Whether a rule holds now; without one the battery follows residual demand."""
        self.advance()
        return self._rule is not None

    @property
    def islanded(self) -> bool:
        """Whether the home is cut off: the battery takes the balance, whatever the rule."""
        return self._islanded

    @islanded.setter
    def islanded(self, islanded: bool) -> None:
        self.advance()
        self._islanded = islanded
        self._restart_cycle()

    def steer(self, rule: Rule | None, *, until_s: float = math.inf) -> None:
        """Follow a rule from now on, or residual demand.

        Parameters
        ----------
        rule : Rule | None
            Maps load and production to the wanted terminal power, > 0 charges [W]; None is
            self-consumption.
        until_s : float
            Time on the home's clock from which it is self-consumption again, to the second and
            seen or unseen: a vendor's watchdog. [s]

        Raises
        ------
        DeviceRefusedError
            If ``until_s`` is not a number; nothing is changed.
        """
        if math.isnan(until_s):
            msg = "emulated home: a rule cannot hold until nan s; give a time or leave it out"
            raise DeviceRefusedError(msg)
        self.advance()
        self._rule, self._until_s = rule, until_s
        self._restart_cycle()

    def limit(self, charge_w: float | None, discharge_w: float | None) -> None:
        """Bound the terminal power as a vendor's registers do, islanded or not.

        Parameters
        ----------
        charge_w, discharge_w : float | None
            Greatest terminal power in and out, >= 0; None lifts the bound. [W]

        Raises
        ------
        DeviceRefusedError
            If a bound is negative or not a number; nothing is changed.
        """
        bounds_w = [math.inf if one is None else one for one in (charge_w, discharge_w)]
        if not all(one >= 0 for one in bounds_w):
            msg = f"emulated home: limits {charge_w} W and {discharge_w} W must be >= 0"
            raise DeviceRefusedError(msg)
        self.advance()
        self._charge_w, self._discharge_w = bounds_w
        self._restart_cycle()

    def state(self) -> HomeState:
        """Return the home as it is now."""
        self.advance()
        load_w, pv_w = self._demand(self._now_s)
        # an island balances at once; on the grid the battery holds what the cycle wants
        held_w = None if self._islanded else self._begun_w
        wanted_w = self._wanted_w(load_w, pv_w) if held_w is None else held_w
        _, power_w = self._model.advance(self._battery, np.array([wanted_w]), self._cycle_s)
        voltage_v, current_a = self._model.dc_side(self._battery, power_w)
        # no -0.0, which a vendor's text would show
        battery_power_w = float(power_w[0]) + 0.0
        balance_w = load_w + battery_power_w - pv_w
        unserved_w = max(balance_w, 0.0) if self._islanded else 0.0
        curtailed_w = max(-balance_w, 0.0) if self._islanded else 0.0
        return HomeState(
            time_s=self._now_s,
            soc=float(self._battery.stored_wh[0] / self._model.bank.capacity_wh[0]),
            estimated_soc=float(self._battery.estimated_soc[0]),
            battery_power_w=battery_power_w,
            cell_temperature_c=float(self._battery.cell_temperature_c[0]),
            dc_voltage_v=float(voltage_v[0]),
            dc_current_a=float(current_a[0]),
            load_w=load_w - unserved_w,
            pv_w=pv_w - curtailed_w,
            grid_power_w=0.0 if self._islanded else balance_w,
            charged_wh=self._charged_wh,
            discharged_wh=self._discharged_wh,
            imported_wh=self._imported_wh,
            exported_wh=self._exported_wh,
            unserved_w=unserved_w,
            curtailed_w=curtailed_w,
        )

    def advance(self) -> None:
        """Bring the home to the clock's time; every other method does so first."""
        target_s = self._clock()
        self._run(min(target_s, self._until_s))
        if self._until_s <= self._now_s:
            self._rule, self._until_s = None, math.inf
            self._restart_cycle()
        self._run(target_s)

    def _restart_cycle(self) -> None:
        self._origin_s, self._cycle, self._begun_w = self._now_s, 0, None

    def _run(self, end_s: float) -> None:
        """Bring the home to a time under one rule, cycles of one wish in one step."""
        cycles = (end_s - self._now_s) / self._cycle_s
        stretch = max(1, math.ceil(cycles / MOST_CYCLES))
        held_w, since_s = 0.0, self._now_s
        try:
            while self._now_s < end_s:
                if self._begun_w is None:
                    load_w, pv_w = self._demand(self._now_s)
                    self._begun_w = self._wanted_w(load_w, pv_w)
                    self._begun_net_w = load_w - pv_w
                    left = (end_s - self._now_s) / self._cycle_s
                    # no lengthened cycle reaches beyond the pause
                    self._cycle += stretch if left >= stretch else 1
                cycle_end_s = self._origin_s + self._cycle * self._cycle_s
                next_s = min(cycle_end_s, end_s)
                if self._begun_w != held_w or next_s - since_s > LONGEST_STEP_S:
                    self._hold(held_w, self._now_s - since_s)
                    held_w, since_s = self._begun_w, self._now_s
                self._net_w.append((self._begun_net_w, next_s - self._now_s))
                self._now_s = next_s
                if next_s == cycle_end_s:
                    self._begun_w = None
        finally:
            # also when the house or the rule failed: what has passed has passed
            self._hold(held_w, self._now_s - since_s)

    def _hold(self, wanted_w: float, step_s: float) -> None:
        """Hold a wanted power for a step and count its energy."""
        if step_s <= 0:
            return
        self._battery, power_w = self._model.advance(self._battery, np.array([wanted_w]), step_s)
        energy_wh = float(power_w[0]) * step_s / 3600
        self._charged_wh += max(energy_wh, 0.0)
        self._discharged_wh += max(-energy_wh, 0.0)
        cycles, self._net_w = self._net_w, []
        for net_w, cycle_s in () if self._islanded else cycles:
            grid_wh = (net_w + float(power_w[0])) * cycle_s / 3600
            self._imported_wh += max(grid_wh, 0.0)
            self._exported_wh += max(-grid_wh, 0.0)

    def _wanted_w(self, load_w: float, pv_w: float) -> float:
        """Return what rule or residual demand want, inside the vendor's limits. [W]"""
        rule = None if self._islanded else self._rule
        wanted_w = pv_w - load_w if rule is None else rule(load_w, pv_w)
        if not math.isfinite(wanted_w):
            msg = f"emulated home: the rule wants {wanted_w} W at {load_w} W load and {pv_w} W pv"
            raise DeviceRefusedError(msg)
        return min(max(wanted_w, -self._discharge_w), self._charge_w)
