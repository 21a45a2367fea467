"""What a run of a plant comes to: peaks, energies, efficiency, cycles and capacity."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """The highest imports of a year."""

    annual: float
    """Of the year. [kW]"""
    by_month: tuple[float, ...]
    """Of each month from January, 0 where the year has none of it. [kW]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What each year of a run came to; every field has one entry per year."""

    demand_peak_kw: tuple[Peak, ...]
    """Highest import, mean of a step. [kW]"""
    battery_to_load_kwh: tuple[float, ...]
    """Load that the battery covered. [kWh]"""
    grid_to_load_kwh: tuple[float, ...]
    """Load that the grid covered. [kWh]"""
    pv_to_load_kwh: tuple[float, ...]
    """Load that PV covered. [kWh]"""
    round_trip_efficiency: tuple[float, ...]
    """Energy discharged over energy charged since the start, both at the AC side; 0 if none was."""
    cycles: tuple[float, ...]
    """Equivalent full cycles: energy out of the cells over the nominal capacity."""
    capacity_left: tuple[float, ...]
    """Capacity at the year's end, share of nominal."""
