"""How a real battery behaves: efficiency, heat, derating, voltage and a state-of-charge estimate.

`devices.battery_bank` is what controllers and plans assume of a battery; this is what an emulator
puts in its place, so that the two differ as they do in a house.
"""

from dataclasses import dataclass

import numpy as np

from devices.arrays import FloatArray
from devices.battery_bank import BatteryBank
from devices.battery_chemistry import LEAD_ACID, LFP, Chemistry
from devices.battery_efficiency import EfficiencyTable, require_range, require_rising


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryModelState:
    """What changes in a battery; every field has shape (homes,)."""

    stored_wh: FloatArray
    """Energy in the cells. [Wh]"""
    cell_temperature_c: FloatArray
    """Temperature of the cells. [°C]"""
    estimated_soc: FloatArray
    """State of charge as the battery itself believes, 0..1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryModel:
    """Ratings and behaviour of one battery per home; curves are shared by all.

    Raises
    ------
    ValueError
        If a shape or a value is out of range.

    Notes
    -----
    The cells' power is the change of the energy stored. Their current is that power over the
    open-circuit voltage; its loss in the internal resistance warms them. The rest of the loss that
    the efficiency knows is the converter's and warms the room.
    """

    bank: BatteryBank
    """Capacity, cell power and window; its own efficiencies are what controllers assume."""
    efficiency: EfficiencyTable
    """Efficiency that the battery really has."""
    thermal_mass_j_per_k: FloatArray
    """Heat that warms the cells by a kelvin, > 0, shape (homes,). [J/K]"""
    thermal_loss_w_per_k: FloatArray
    """Heat lost per kelvin above ambient, > 0, shape (homes,). [W/K]"""
    ambient_c: FloatArray
    """Temperature of the room, shape (homes,). [°C]"""
    derating_c: FloatArray
    """Cell temperatures of the derating curve, rising. [°C]"""
    derating_share: FloatArray
    """Share of the rated power at ``derating_c``, 0..1; flat beyond the ends."""
    voltage_nominal_v: FloatArray
    """Nominal voltage of the cells in series, > 0, shape (homes,). [V]"""
    open_circuit_soc: FloatArray
    """States of charge of the open-circuit curve, rising."""
    open_circuit_share: FloatArray
    """Open-circuit voltage over nominal at ``open_circuit_soc``, > 0; flat beyond the ends."""
    resistance_ohm: FloatArray
    """Internal resistance, >= 0, shape (homes,). [Ω]"""
    gauge_gain_error: FloatArray
    """Share by which the coulomb counter reads too much, shape (homes,)."""
    gauge_bias_w: FloatArray
    """Offset of the coulomb counter, as power into the cells, shape (homes,). [W]"""

    def __post_init__(self) -> None:
        homes = (self.bank.homes,)
        for name, (low, high) in _PER_HOME.items():
            values = getattr(self, name)
            if values.shape != homes:
                msg = f"battery {name} has shape {values.shape}, must be {homes}"
                raise ValueError(msg)
            require_range(name, values, low, high)
        if self.efficiency.charge.shape[0] != homes[0]:
            msg = (
                f"battery efficiency is of {self.efficiency.charge.shape[0]} homes, not {homes[0]}"
            )
            raise ValueError(msg)
        for grid, curve, low, high in _CURVES:
            require_rising(grid, getattr(self, grid))
            if getattr(self, curve).shape != getattr(self, grid).shape:
                msg = f"battery {curve} must have as many points as {grid}"
                raise ValueError(msg)
            require_range(curve, getattr(self, curve), low, high)
        lowest_v = self.voltage_nominal_v * self.open_circuit_share.min()
        drop_v = self.resistance_ohm * self.bank.power_max_w / lowest_v
        if np.any(drop_v >= lowest_v):
            msg = "battery resistance_ohm is too great for power_max_w: no voltage would be left"
            raise ValueError(msg)

    @classmethod
    def of_bank(cls, bank: BatteryBank) -> "BatteryModel":
        """Return the battery that a controller assumes: no heat, no derating, an exact gauge."""
        return cls(
            bank=bank,
            efficiency=EfficiencyTable.constant(bank.charge_efficiency, bank.discharge_efficiency),
            thermal_mass_j_per_k=np.full(bank.homes, 1e5),
            thermal_loss_w_per_k=np.full(bank.homes, 10.0),
            ambient_c=np.full(bank.homes, 25.0),
            derating_c=np.array([25.0]),
            derating_share=np.array([1.0]),
            voltage_nominal_v=np.full(bank.homes, 48.0),
            open_circuit_soc=np.array([0.0]),
            open_circuit_share=np.array([1.0]),
            resistance_ohm=np.zeros(bank.homes),
            gauge_gain_error=np.zeros(bank.homes),
            gauge_bias_w=np.zeros(bank.homes),
        )

    @classmethod
    def lfp(
        cls,
        homes: int,
        *,
        capacity_wh: float = 10_000.0,
        power_max_w: float = 5_000.0,
        soc_min: float = 0.0,
        soc_max: float = 1.0,
        ambient_c: float = 20.0,
        seed: int | None = None,
    ) -> "BatteryModel":
        """Return typical home batteries of lithium iron phosphate, 51.2 V, behind an AC converter.

        Parameters
        ----------
        homes : int
            Number of equal batteries.
        capacity_wh, power_max_w : float
            Nominal capacity and cell power. [Wh, W]
        soc_min, soc_max : float
            Window in use, 0..1.
        ambient_c : float
            Temperature of the room. [°C]
        seed : int | None
            Start of the draws of the gauges' errors; None gives every gauge the typical error.

        Notes
        -----
        Typical of the kind, measured on no product: see `devices.battery_chemistry.LFP`.
        """
        bank = BatteryBank.uniform(
            homes,
            capacity_wh=capacity_wh,
            power_max_w=power_max_w,
            efficiency=0.94,
            soc_min=soc_min,
            soc_max=soc_max,
        )
        return cls._typical(LFP, bank, voltage_nominal_v=51.2, ambient_c=ambient_c, seed=seed)

    @classmethod
    def lead_acid(
        cls,
        homes: int,
        *,
        capacity_ah: float = 546.0,
        voltage_nominal_v: float = 48.0,
        power_max_w: float = 5_000.0,
        soc_min: float = 0.2,
        soc_max: float = 1.0,
        ambient_c: float = 25.0,
        seed: int | None = None,
    ) -> "BatteryModel":
        """Return typical lead-acid banks; the size by default is Habib's, 48 V and 546 Ah.

        Parameters
        ----------
        homes : int
            Number of equal banks.
        capacity_ah, voltage_nominal_v : float
            Nominal charge and voltage. [Ah, V]
        power_max_w : float
            Cell power. [W]
        soc_min, soc_max : float
            Window in use, 0..1.
        ambient_c : float
            Temperature of the room. [°C]
        seed : int | None
            Start of the draws of the gauges' errors; None gives every gauge the typical error.

        Notes
        -----
        Typical of the kind, measured on no product: see `devices.battery_chemistry.LEAD_ACID`.
        Power and window are ours, too.
        """
        bank = BatteryBank.uniform(
            homes,
            capacity_wh=capacity_ah * voltage_nominal_v,
            power_max_w=power_max_w,
            efficiency=0.87,
            soc_min=soc_min,
            soc_max=soc_max,
        )
        return cls._typical(
            LEAD_ACID, bank, voltage_nominal_v=voltage_nominal_v, ambient_c=ambient_c, seed=seed
        )

    @classmethod
    def _typical(
        cls,
        kind: Chemistry,
        bank: BatteryBank,
        *,
        voltage_nominal_v: float,
        ambient_c: float,
        seed: int | None,
    ) -> "BatteryModel":
        """Return batteries of a kind, scaled to the bank's capacity."""
        homes, capacity_wh = bank.homes, bank.capacity_wh
        draws = np.ones((2, homes))
        if seed is not None:
            draws = np.random.default_rng(seed).normal(size=(2, homes))
        return cls(
            bank=bank,
            efficiency=EfficiencyTable.separable(
                homes, by_c_rate=kind.efficiency_by_c_rate, by_soc=kind.efficiency_by_soc
            ),
            thermal_mass_j_per_k=kind.thermal_mass_j_per_k_wh * capacity_wh,
            thermal_loss_w_per_k=kind.thermal_loss_w_per_k_wh * capacity_wh,
            ambient_c=np.full(homes, ambient_c),
            derating_c=np.array([*kind.power_share_by_c]),
            derating_share=np.array([*kind.power_share_by_c.values()]),
            voltage_nominal_v=np.full(homes, voltage_nominal_v),
            open_circuit_soc=np.array([*kind.open_circuit_by_soc]),
            open_circuit_share=np.array([*kind.open_circuit_by_soc.values()]),
            resistance_ohm=kind.loss_per_c_rate * voltage_nominal_v**2 / capacity_wh,
            gauge_gain_error=kind.gauge_gain_error * draws[0],
            gauge_bias_w=kind.gauge_bias_share * bank.power_max_w * draws[1],
        )

    def start(self, soc: FloatArray) -> BatteryModelState:
        """Return batteries at a state of charge that have rested: ambient, estimate exact."""
        return BatteryModelState(
            stored_wh=soc * self.bank.capacity_wh,
            cell_temperature_c=self.ambient_c.copy(),
            estimated_soc=soc.copy(),
        )

    def power_share(self, cell_temperature_c: FloatArray) -> FloatArray:
        """Return the share of the rated power that the cells give at a temperature, 0..1."""
        return np.interp(cell_temperature_c, self.derating_c, self.derating_share)

    def cell_power_w(self, battery_power_w: FloatArray, soc: FloatArray) -> FloatArray:
        """Return what the cells take at a terminal power, both > 0 when charging. [W]"""
        capacity_wh = self.bank.capacity_wh
        return self.efficiency.cell_rate(battery_power_w / capacity_wh, soc) * capacity_wh

    def terminal_power_w(self, cell_power_w: FloatArray, soc: FloatArray) -> FloatArray:
        """Return the terminal power at a cell power, both > 0 when charging. [W]"""
        capacity_wh = self.bank.capacity_wh
        return self.efficiency.terminal_rate(cell_power_w / capacity_wh, soc) * capacity_wh

    def dc_side(
        self, state: BatteryModelState, battery_power_w: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return voltage and current between cells and converter at a terminal power.

        Parameters
        ----------
        state : BatteryModelState
            State of the batteries.
        battery_power_w : FloatArray, shape (homes,)
            Terminal power, > 0 charges. [W]

        Returns
        -------
        tuple[FloatArray, FloatArray]
            Voltage [V] and current, > 0 charges [A].
        """
        soc = state.stored_wh / self.bank.capacity_wh
        return self._dc(soc, self.cell_power_w(battery_power_w, soc))

    def advance(
        self, state: BatteryModelState, battery_power_w: FloatArray, step_s: float
    ) -> tuple[BatteryModelState, FloatArray]:
        """Hold a wanted terminal power for a step, as far as power, heat and window allow.

        Parameters
        ----------
        state : BatteryModelState
            State at the start; efficiency, voltage and derating are those of the start.
        battery_power_w : FloatArray, shape (homes,)
            Wanted terminal power, > 0 charges. [W]
        step_s : float
            Length of the step, > 0. Keep it to a minute where heat or efficiency matter. [s]

        Returns
        -------
        tuple[BatteryModelState, FloatArray]
            State at the end, and mean terminal power over the step [W].
        """
        capacity_wh, step_h = self.bank.capacity_wh, step_s / 3600
        soc = state.stored_wh / capacity_wh
        most_w = self.bank.power_max_w * self.power_share(state.cell_temperature_c)
        wanted_w = self.cell_power_w(battery_power_w, soc)
        allowed_w = np.minimum(np.maximum(wanted_w, -most_w), most_w)
        low_wh, high_wh = self.bank.window_wh(state.stored_wh)
        free_wh = state.stored_wh + allowed_w * step_h
        stored_wh = np.minimum(np.maximum(free_wh, low_wh), high_wh)
        # inside the window no rounding of a difference over a short step
        cell_w = np.where(stored_wh == free_wh, allowed_w, (stored_wh - state.stored_wh) / step_h)
        power_w = battery_power_w.copy()
        if not np.array_equal(cell_w, wanted_w):
            terminal_w = self.terminal_power_w(cell_w, soc)
            power_w = np.where(cell_w == wanted_w, battery_power_w, terminal_w)
        after = BatteryModelState(
            stored_wh=stored_wh,
            cell_temperature_c=self._warmed_c(state, soc, cell_w, power_w, step_s=step_s),
            estimated_soc=self._estimated(state, stored_wh, cell_w, step_h),
        )
        return after, power_w

    def _dc(self, soc: FloatArray, cell_power_w: FloatArray) -> tuple[FloatArray, FloatArray]:
        share = np.interp(soc, self.open_circuit_soc, self.open_circuit_share)
        open_circuit_v = self.voltage_nominal_v * share
        current_a = cell_power_w / open_circuit_v
        return open_circuit_v + self.resistance_ohm * current_a, current_a

    def _warmed_c(
        self,
        state: BatteryModelState,
        soc: FloatArray,
        cell_power_w: FloatArray,
        battery_power_w: FloatArray,
        *,
        step_s: float,
    ) -> FloatArray:
        """Return the temperature after a step: exact for a heat that is constant over it. [°C]"""
        _, current_a = self._dc(soc, cell_power_w)
        # never more heat than the efficiency says is lost
        heat_w = np.minimum(self.resistance_ohm * current_a**2, battery_power_w - cell_power_w)
        settled_c = self.ambient_c + heat_w / self.thermal_loss_w_per_k
        left = np.exp(-step_s * self.thermal_loss_w_per_k / self.thermal_mass_j_per_k)
        return settled_c + (state.cell_temperature_c - settled_c) * left

    def _estimated(
        self,
        state: BatteryModelState,
        stored_wh: FloatArray,
        cell_power_w: FloatArray,
        step_h: float,
    ) -> FloatArray:
        """Return what the gauge believes: counted, and corrected at the ends of the window."""
        capacity_wh = self.bank.capacity_wh
        counted_w = cell_power_w * (1 + self.gauge_gain_error) + self.gauge_bias_w
        counted = np.clip(state.estimated_soc + counted_w * step_h / capacity_wh, 0, 1)
        empty = stored_wh <= self.bank.soc_min * capacity_wh
        full = stored_wh >= self.bank.soc_max * capacity_wh
        return np.where(empty | full, stored_wh / capacity_wh, counted)


_PER_HOME = {
    "thermal_mass_j_per_k": (np.nextafter(0, 1), np.inf),
    "thermal_loss_w_per_k": (np.nextafter(0, 1), np.inf),
    "ambient_c": (-273.15, np.inf),
    "voltage_nominal_v": (np.nextafter(0, 1), np.inf),
    "resistance_ohm": (0.0, np.inf),
    "gauge_gain_error": (-1.0, np.inf),
    "gauge_bias_w": (-np.inf, np.inf),
}
_CURVES = (
    ("derating_c", "derating_share", 0.0, 1.0),
    ("open_circuit_soc", "open_circuit_share", np.nextafter(0, 1), np.inf),
)
