"""The battery of a plant behind one meter, in the quantities by which SAM knows it."""

from dataclasses import dataclass
from typing import Literal

from devices.ageing_sam import SamLaw
from scenarios.errors import ScenarioInputError

Coupling = Literal["ac", "dc"]
"""Where the battery joins the PV: behind an inverter of its own, or before the PV's."""
Generation = Literal["2025", "2020"]
"""Whose behaviour: SAM of 2025.4.16 (PySAM 7.1), or of 2020.11.29, which Marchi 2022 ran."""
Limits = Literal["power", "current", "both"]
"""What bounds the battery: its power, the current that its power is at nominal voltage, or both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A lithium cell's voltage over its charge, and how warmth changes what it holds.

    Notes
    -----
    Tremblay's model as SAM has it; the defaults are its lithium iron phosphate (PySAM's
    ``BatteryStateful``, ``LFPGraphite``).
    """

    full_ah: float = 2.25
    """Charge of a full cell. [Ah]"""
    nominal_ah: float = 2.0
    """Charge taken out at the end of the flat stretch. [Ah]"""
    exponential_ah: float = 0.04
    """Charge taken out at the end of the exponential stretch. [Ah]"""
    full_v: float = 4.1
    """Voltage of a full cell. [V]"""
    exponential_v: float = 4.05
    """Voltage at the end of the exponential stretch. [V]"""
    nominal_v: float = 3.4
    """Voltage at the end of the flat stretch. [V]"""
    cut_off_v: float = 2.706
    """Voltage of an empty cell; 0: the charge alone ends it. [V]"""
    rated_v: float = 3.6
    """Voltage by which the capacity in watt-hours is named. [V]"""
    resistance_ohm: float = 0.002
    """Inner resistance. [Ω]"""
    c_rate: float = 0.2
    """Current at which the voltages hold, times the charge. [1/h]"""
    bank_v: float = 500.0
    """Rated voltage of the battery; only its warmth hangs on it. [V]"""
    room_c: float = 20.0
    """Temperature of the room. [°C]"""
    heat_j_per_kg_k: float = 1500.0
    """Heat that a kilogram takes up. [J/kg·K]"""
    mass_kg_per_wh: float = 152.227 / 10_000
    """Mass of a watt-hour of nominal capacity. [kg/Wh]"""
    surface_m2_at_10_kwh: float = 1.53934
    """Surface of a battery of 10 kWh; others are as alike cubes. [m²]"""
    transfer_w_per_m2_k: float = 7.5
    """Heat that the surface gives to the room. [W/m²·K]"""
    temperatures_c: tuple[float, ...] = (-20.0, -10.0, 0.0, 10.0, 23.0, 45.0, 60.0)
    """Temperatures of ``warm_capacity``, rising. [°C]"""
    warm_capacity: tuple[float, ...] = (
        0.7233333333,
        0.818,
        0.888,
        0.93,
        0.9666666666,
        1.01,
        1.01,
    )
    """Charge that the cell holds at ``temperatures_c``; above 1 counts as 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchBattery:
    """A battery, what converts its power, and what may charge it.

    Raises
    ------
    ScenarioInputError
        If a rating is out of its range.
    """

    capacity_wh: float
    """Nominal capacity of the cells (DC). [Wh]"""
    power_max_w: float
    """Greatest power into or out of the cells (DC). [W]"""
    soc_min: float = 0.15
    """Lower end of the window in use, 0..1."""
    soc_max: float = 0.95
    """Upper end of the window in use, soc_min..1."""
    coupling: Coupling = "ac"
    """Where it joins the PV."""
    charge_efficiency: float = 0.96
    """AC to DC; for a battery on the DC side: of the inverter that the grid charges it through."""
    discharge_efficiency: float = 0.96
    """DC to AC; for a battery on the DC side: of the PV's inverter."""
    dc_efficiency: float = 0.99
    """DC to DC between PV and a battery on the DC side."""
    soc_begin: float = 0.5
    """State of charge at the start, brought into the window."""
    charge_from_grid: bool = False
    """The grid may charge it (policies 1 to 4; 5 says so itself)."""
    charge_from_pv: bool = True
    """PV may charge it (policies 1 to 4)."""
    pv_charges_only_surplus: bool = False
    """PV may charge it only with what exceeds the load."""
    generation: Generation = "2025"
    """Whose behaviour where SAM's versions differ."""
    limits: Limits = "power"
    """What bounds it."""
    replace_at: float | None = None
    """Capacity left, share of nominal, at which a new one takes its place; None: never."""
    ageing: SamLaw | None = None
    """How it ages; None: SAM's lithium iron phosphate, as its generation counts it."""
    cell: Cell = Cell()
    """Its cells."""

    def __post_init__(self) -> None:
        for name in ("capacity_wh", "power_max_w"):
            if not 0 < getattr(self, name) < float("inf"):
                _refuse(name, getattr(self, name), "more than 0")
        for name in ("charge_efficiency", "discharge_efficiency", "dc_efficiency"):
            if not 0 < getattr(self, name) <= 1:
                _refuse(name, getattr(self, name), "a share in (0, 1]")
        if not 0 <= self.soc_min < self.soc_max <= 1:
            _refuse("soc_min", self.soc_min, f"0 <= soc_min < soc_max ({self.soc_max:g}) <= 1")
        if not 0 <= self.soc_begin <= 1:
            _refuse("soc_begin", self.soc_begin, "0 to 1")
        if self.replace_at is not None and not 0 < self.replace_at < 1:
            _refuse("replace_at", self.replace_at, "a share of capacity in (0, 1)")

    def law(self) -> SamLaw:
        """Return how it ages."""
        if self.ageing is not None:
            return self.ageing
        today = self.generation == "2025"
        return SamLaw.lfp(adds=today, own_depth=today)


def _refuse(name: str, value: float, remedy: str) -> None:
    msg = f"battery: {name} is {value:g}; give {remedy}"
    raise ScenarioInputError(msg)
