"""The fleet of a scenario: who is in it, with what battery, and the rules of its day."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

import numpy as np
from eth_utils.address import to_checksum_address

from aggregator.publish import SOC_MARGIN
from contracts.promise import Member
from devices.arrays import FloatArray
from devices.battery_bank import BatteryBank
from scenarios.data.fleet_data import PLANT_PV_RATING_W, PLANT_WIND_RATING_W, plant_scale
from scenarios.errors import ScenarioInputError
from scenarios.simulation.arrangement import FRAMEWORK, Arrangement
from scenarios.simulation.disturbances import Disturbances

HOME_CONNECTION_W = 23_000
"""A home's grid connection: 100 A at 230 V, single phase. [W]"""
PLACEHOLDER_WH = 1.0
"""Capacity of the battery that a home without one is modelled with; its power is 0. [Wh]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How a simulated day is run.

    Raises
    ------
    ScenarioInputError
        If a cycle does not fit into a market interval or a rate is out of range.
    """

    interval_s: int = 1800
    """Market interval. [s]"""
    report_s: int = 300
    """t_sc: time between two reports to the contract, 60..900. [s]"""
    decide_s: int = 120
    """t_j: time between two decisions of a home. [s]"""
    forecast_error: float = 0.25
    """Σ|forecast − actual| / Σ actual of the day-ahead forecast, >= 0."""
    forecast_step_s: int = 7200
    """Time between two points of the day-ahead forecast. [s]"""
    soc_start: float = 0.5
    """State of charge of every battery at the start of the day, 0..1."""
    wire_share: float = 0.48
    """What a home pays for another member's energy, as a share of the retail price."""
    fee_bp: int = 1000
    """The aggregator's part of positive revenue. [bp]"""
    bond_micro: int = 100_000_000
    """What the aggregator puts up against losses. [micro]"""
    anticipate_plant: bool = True
    """Whether homes expect the plant to go on as it did; False is the print of eq. (7)."""
    soc_margin: float = SOC_MARGIN
    """How far below the plan homes may go for a promise, 0..1; 0 is the print of eq. (11)."""
    award_share: float = 1.0
    """Part of each bid that the market awards, 0..1."""
    seed: int = 0
    """Seeds every draw: PV systems, forecast errors, generated data, what goes wrong."""
    disturbances: Disturbances = field(default_factory=Disturbances)
    """What goes wrong between homes and contract, and limits of the batteries."""

    def __post_init__(self) -> None:
        if not 60 <= self.report_s <= 900 or self.report_s % 60 or self.interval_s % self.report_s:
            msg = (
                f"t_sc of {self.report_s / 60:g} min: choose 1 to 15 minutes that divide "
                f"the {self.interval_s // 60} min interval (1, 2, 3, 5, 6, 10 or 15)"
            )
            raise ScenarioInputError(msg)
        if self.decide_s % 60 or not 60 <= self.decide_s <= 900 or self.interval_s % self.decide_s:
            msg = f"t_j of {self.decide_s} s: choose whole minutes that divide the interval"
            raise ScenarioInputError(msg)
        if not self.forecast_error >= 0:
            msg = f"forecast error of {self.forecast_error}: choose a share >= 0, such as 0.25"
            raise ScenarioInputError(msg)
        if self.disturbances.latency_s >= self.report_s:
            msg = (
                f"latency of {self.disturbances.latency_s} s: choose less than t_sc, "
                f"{self.report_s} s, so that one report is on its way at a time"
            )
            raise ScenarioInputError(msg)
        for name in ("soc_start", "wire_share", "soc_margin", "award_share"):
            if not 0 <= getattr(self, name) <= 1:
                msg = f"{name} of {getattr(self, name)}: choose a share in 0..1"
                raise ScenarioInputError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery:
    """Ratings of one home's battery; the defaults are Couraud 2021's.

    Raises
    ------
    ScenarioInputError
        If a rating is out of its range.
    """

    capacity_wh: float = 10_300.0
    """Nominal capacity, > 0. [Wh]"""
    power_w: float = 5_300.0
    """Greatest power into or out of the cells, >= 0 (§3). [W]"""
    charge_efficiency: float = 0.9
    """η_c, cells over terminals when charging, 0 < η <= 1."""
    discharge_efficiency: float = 0.9
    """η_d, terminals over cells when discharging, 0 < η <= 1."""

    def __post_init__(self) -> None:
        try:
            self.bank(1)
        except ValueError as error:
            raise ScenarioInputError(str(error)) from error

    def bank(self, homes: int, *, of: int = 1) -> BatteryBank:
        """Return ``homes`` equal batteries, each as large as ``of`` of these."""
        return BatteryBank(
            capacity_wh=np.full(homes, of * self.capacity_wh),
            power_max_w=np.full(homes, of * self.power_w),
            charge_efficiency=np.full(homes, self.charge_efficiency),
            discharge_efficiency=np.full(homes, self.discharge_efficiency),
            soc_min=np.zeros(homes),
            soc_max=np.ones(homes),
        )


PAPER_BATTERY: Final = Battery()
"""What every home has, unless it is said otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Homes with batteries and, as one more member of the contract, the aggregator's own plant."""

    bank: BatteryBank
    """The homes' batteries, shape (homes,)."""
    connection_w: FloatArray
    """The homes' grid connections, shape (homes,). [W]"""
    plant_w: float
    """Rating of the plant's connection. [W]"""
    accounts: tuple[str, ...]
    """Ledger account of each home, then of the plant."""

    @property
    def homes(self) -> int:
        """Number of homes."""
        return self.bank.homes

    def members(self) -> list[Member]:
        """Return all members as the fleet contract knows them, the plant last."""
        capacity_wh = [*np.rint(self.bank.capacity_wh).astype(int).tolist(), 0]
        connection_w = [*np.rint(self.connection_w).astype(int).tolist(), round(self.plant_w)]
        return [
            Member(account=account, capacity_wh=wh, grid_power_w=w)
            for account, wh, w in zip(self.accounts, capacity_wh, connection_w, strict=True)
        ]


def made_up_accounts(count: int) -> list[str]:
    """Return ``count`` addresses, always the same; nobody has their keys, and none are needed."""
    return [
        to_checksum_address(sha256(f"gridpact fleet {number}".encode()).digest()[:20])
        for number in range(count)
    ]


def paper_fleet(
    homes: int,
    accounts: tuple[str, ...],
    *,
    battery: Battery = PAPER_BATTERY,
    arrangement: Arrangement = FRAMEWORK,
) -> Fleet:
    """Return Couraud 2021's fleet, its plant scaled with the number of homes.

    Parameters
    ----------
    homes : int
        Number of homes.
    accounts : tuple[str, ...]
        A ledger account for each member that is steered, and the plant's.
    battery : Battery
        What each home has, or adds to a central site.
    arrangement : Arrangement
        Where the batteries stand.
    """
    members = arrangement.members(homes)
    if arrangement.batteries == "none":
        battery = Battery(capacity_wh=PLACEHOLDER_WH, power_w=0.0)
    return Fleet(
        bank=battery.bank(members, of=homes // members),
        connection_w=np.full(members, float(HOME_CONNECTION_W) * (homes // members)),
        # A tenth more than the panels' and turbines' rating: reality overshoots a nameplate.
        plant_w=1.1 * (PLANT_PV_RATING_W + PLANT_WIND_RATING_W) * plant_scale(homes),
        accounts=accounts,
    )
