"""What Marchi 2022 printed, as data: its tables, and the figures in its sentences."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

POLICIES: Final[Mapping[int, str]] = {
    1: "Peak shaving, a day ahead",
    2: "Peak shaving, a day behind",
    3: "Grid power target",
    4: "Input dispatch",
    5: "Manual dispatch",
}
"""By the paper's number."""
TABLE_1_KW: Final[Mapping[int, tuple[float, ...]]] = {
    1: (50.8, 57.8, 58.0, 59.2, 59.2),
    2: (51.8, 59.0, 57.9, 59.2, 59.2),
    3: (52.3, 59.2, 57.8, 59.2, 59.2),
    4: (51.6, 58.8, 57.9, 59.2, 59.2),
}
"""Highest import of the year by configuration, for policies 1 to 5. [kW]"""
TABLE_2_MWH: Final[Mapping[int, tuple[float, ...]]] = {
    1: (2.59, 2.52, 3.38, 6.87, 3.18),
    2: (1.89, 1.89, 3.29, 7.75, 2.74),
    3: (1.56, 1.56, 3.06, 7.25, 2.43),
    4: (2.04, 2.03, 3.38, 7.94, 2.86),
}
"""Load that the battery covered in a year, by configuration, for policies 1 to 5. [MWh]"""
LOAD_MWH: Final = 250.0
"""The building's year, as table 2's energies and their shares give it. [MWh]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peaks:
    """A column of table 4."""

    highest: float
    """Of the monthly peaks. [kW]"""
    mean: float
    """Of the monthly peaks. [kW]"""


TABLE_4_KW: Final[Mapping[int, Peaks]] = {
    1: Peaks(highest=64.1, mean=55.1),
    2: Peaks(highest=59.2, mean=50.6),
    3: Peaks(highest=87.5, mean=76.6),
    4: Peaks(highest=57.8, mean=47.7),
    5: Peaks(highest=84.7, mean=68.1),
    6: Peaks(highest=84.5, mean=62.6),
}
"""By the scenario of table 3."""
ROUND_TRIP: Final[Mapping[int, float]] = {1: 0.92, 2: 0.90, 3: 0.94, 4: 0.94, 5: 0.93}
"""Energy discharged over energy charged, by policy, section III.B."""
LOST_CAPACITY: Final[Mapping[int, float]] = {3: 0.23, 5: 0.169}
"""Capacity lost in 25 years, by policy, section III.B; of policy 4 see `LEFT_OR_LOST_4`."""
LEFT_OR_LOST_4: Final = "around 70 % in configuration 3 and 50 % in the others"
"""What is said of policy 4; the text does not tell whether that is lost or left."""
LEFT_AFTER_25: Final[Mapping[int, float]] = {8: 0.602, 9: 0.484}
"""Capacity left after 25 years, by hypothesis of the cars, section III.A."""
CYCLES_25: Final[Mapping[int, int]] = {8: 12_599, 9: 16_183}
"""Cycles in 25 years, by hypothesis of the cars; SAM counts those of no depth, too."""
PV_SAVES: Final = 0.23
"""Part of the year's cost that PV saves, section III.E."""
WITH_CARS: Final = (0.0122, 0.023)
"""Part of the load that the battery covers without and with four cars, section IV."""
YEARS: Final = 25
"""Years that the battery is run for."""
PV_LOSS_PER_YEAR: Final = 0.008
"""Production lost from a year to the next."""
