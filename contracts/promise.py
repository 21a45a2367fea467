"""The values both sides sign, as integers on the wire (§2): W, Wh, basis points, micro-units."""

from dataclasses import dataclass, field

from contracts.timegrid import TimeGrid

SOC_BP_MAX = 10_000
"""A full battery in basis points."""
WEIGHT_PPB = 1_000_000_000
"""A weight of one, in parts per billion."""


def _check_range(what: str, value: int, bits: int, *, signed: bool = False) -> None:
    """Raise ``ValueError`` if ``value`` does not fit the integer that carries it on the wire."""
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    if not low <= value <= high:
        msg = f"{what} = {value} is outside {low}..{high}"
        raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What the aggregator promises and asks for, an entry per market interval.

    Raises
    ------
    ValueError
        If a series is not as long as the grid or leaves its range.
    """

    grid: TimeGrid
    """The intervals."""
    soc_bp: tuple[int, ...]
    """Fleet state of charge at the end of each interval, SoC^{t,A}. [bp of capacity]"""
    commitment_wh: tuple[int, ...]
    """Committed net export of each interval, E_c^t. [Wh]"""
    steered: tuple[bool, ...]
    """S^t: True where batteries aim at ``soc_bp``, False where they follow residual demand."""

    def __post_init__(self) -> None:
        for name in ("soc_bp", "commitment_wh", "steered"):
            length = len(getattr(self, name))
            if length != self.grid.count:
                msg = f"schedule: {name} has {length} entries, the grid {self.grid.count}"
                raise ValueError(msg)
        for slot, soc in enumerate(self.soc_bp):
            if not 0 <= soc <= SOC_BP_MAX:
                msg = f"schedule: soc_bp[{slot}] = {soc} is outside 0..{SOC_BP_MAX}"
                raise ValueError(msg)
        for slot, energy_wh in enumerate(self.commitment_wh):
            _check_range(f"schedule: commitment_wh[{slot}]", energy_wh, 32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A home, or the aggregator's own plant, as the fleet contract knows it."""

    account: str
    """Address that reports and is paid."""
    capacity_wh: int
    """Nominal capacity of its battery; 0 for a member without one. [Wh]"""
    grid_power_w: int
    """Rating of its grid connection, each way. [W]"""
    meter: str | None = None
    """Address of the key of its meter, which then signs each of its reports too; None without."""

    def __post_init__(self) -> None:
        _check_range(f"member {self.account}: capacity_wh", self.capacity_wh, 32)
        _check_range(f"member {self.account}: grid_power_w", self.grid_power_w, 32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a member did since its last report.

    Raises
    ------
    ValueError
        If a number does not fit the wire; whether it is plausible is the contract's to say.
    """

    account: str
    """Address of the member."""
    interval: int
    """Number of the market interval the energy belongs to."""
    net_export_wh: int
    """Energy exported less energy imported since its last report. [Wh]"""
    soc_bp: int
    """State of charge now. [bp]"""

    def __post_init__(self) -> None:
        _check_range(f"report of {self.account}: interval", self.interval, 32)
        _check_range(
            f"report of {self.account}: net_export_wh", self.net_export_wh, 32, signed=True
        )
        _check_range(f"report of {self.account}: soc_bp", self.soc_bp, 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coordination:
    """What the contract answers a member: the fleet's debt and its share of it.

    Notes
    -----
    Couraud 2021, eq. (10)-(12).
    """

    remaining_export_wh: int
    """RE^{t,A}: export the fleet still owes in the interval, < 0 when it gave too much. [Wh]"""
    export_weight_ppb: int
    """w_e^k: the member's share when the fleet owes export. [1e-9]"""
    import_weight_ppb: int
    """w_i^k: the member's share when the fleet exported too much. [1e-9]"""
    steered: bool
    """S^t of the interval."""
    soc_bp: int
    """SoC^{t,A} of the interval. [bp]"""
    commitment_wh: int
    """E_c^t of the interval: 0 where nothing was promised. [Wh]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What the fleet did in one interval."""

    interval: int
    """Number of the interval."""
    commitment_wh: int
    """E_c^t. [Wh]"""
    delivered_wh: int
    """Net export of all members, < 0 when they imported. [Wh]"""
    exported_wh: int
    """Sum of the members' positive net exports, the base of their shares. [Wh]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clearing:
    """Prices of one interval, as posted to the settlement contract."""

    interval: int
    """Number of the interval."""
    price_micro_per_mwh: int
    """Market price of the commitment, π_e. [micro/MWh]"""
    imbalance_price_micro_per_mwh: int
    """Price of a deviation, π_imbalance. [micro/MWh]"""

    def __post_init__(self) -> None:
        _check_range("clearing: interval", self.interval, 32)
        for name in ("price_micro_per_mwh", "imbalance_price_micro_per_mwh"):
            _check_range(
                f"clearing of {self.interval}: {name}", getattr(self, name), 64, signed=True
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """How the revenue of one interval was split.

    Notes
    -----
    ``revenue = repaid + fee + pool − loss``: a negative revenue is all loss, another has none.
    """

    interval: int
    """Number of the interval."""
    revenue_micro: int
    """E_c·π_e − |delivered − E_c|·π_imbalance, rounded down. [micro]"""
    fee_micro: int
    """The aggregator's part. [micro]"""
    pool_micro: int
    """What the members share in proportion to their exports. [micro]"""
    repaid_micro: int
    """What went to losses that an earlier bond could not cover. [micro]"""
    loss_micro: int
    """A negative revenue's magnitude, taken from the bond, the rest carried. [micro]"""
    boundary_wh: int | None = None
    """Reading at the fleet's boundary, None where none was posted. [Wh]"""
    scaled: bool = False
    """Whether the reading counted as delivered, since the reports differed too much from it."""
    transaction_hash: bytes | None = field(default=None, compare=False)
    """Transaction that settled it, where it was just sent to a node."""
