"""What the homes pay at retail, with and without the fleet."""

from dataclasses import dataclass

import numpy as np

from aggregator.errors import PlanInputError
from aggregator.series import require_number, require_series
from devices.arrays import FloatArray

WIRE_PRICE_SHARE = 0.48
"""Part of the retail price paid for energy from another member: network, environmental and social
costs and VAT (23 + 20 + 5 %), Couraud 2021, table I."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registers:
    """What the homes' meters counted per settlement period; arrays of shape (homes, slots)."""

    import_wh: FloatArray
    """Energy taken from the grid, >= 0. [Wh]"""
    export_wh: FloatArray
    """Energy given to the grid, >= 0. [Wh]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bills:
    """The homes' bills of a span; money and energy per home have shape (homes,)."""

    bill: FloatArray
    """What each home pays. [currency]"""
    baseline: FloatArray
    """What it would pay for its load alone, scenario 0. [currency]"""
    wire_wh: FloatArray
    """Its import that other members' export matched. [Wh]"""

    @property
    def reduction(self) -> FloatArray:
        """Baseline less bill of each home. [currency]"""
        return self.baseline - self.bill


def registers(
    grid_power_w: FloatArray, *, step_s: int, period_s: int, netted: bool = True
) -> Registers:
    """Count grid power into import and export per settlement period.

    Parameters
    ----------
    grid_power_w : FloatArray, shape (homes, steps)
        Mean power of each step, > 0 imports. [W]
    step_s : int
        Length of a step. [s]
    period_s : int
        Length of a settlement period, a multiple of the step. [s]
    netted : bool
        True nets import and export within a period; False counts each step into its own register.

    Notes
    -----
    Netting per settlement period is the default because the ledger, balance (2) and the
    market's commitment all count the net of an interval. Half-hourly meters with an import and an
    export register count gross; that makes bills a little higher, and ``netted=False`` shows by how
    much.
    """
    _require_whole_periods(grid_power_w, step_s, period_s)
    energy_wh = grid_power_w * (step_s / 3600)
    by_period = energy_wh.reshape(energy_wh.shape[0], -1, period_s // step_s)
    if netted:
        net_wh = by_period.sum(axis=2)
        return Registers(import_wh=np.maximum(net_wh, 0.0), export_wh=np.maximum(-net_wh, 0.0))
    return Registers(
        import_wh=np.maximum(by_period, 0.0).sum(axis=2),
        export_wh=np.maximum(-by_period, 0.0).sum(axis=2),
    )


def bill_homes(
    counted: Registers,
    *,
    load_wh: FloatArray,
    retail_price_per_mwh: FloatArray,
    plant_export_wh: FloatArray | None = None,
    wire_price_share: float = WIRE_PRICE_SHARE,
) -> Bills:
    """Bill every home for its imports, those matched by members' exports at the wire's price.

    Parameters
    ----------
    counted : Registers
        The homes' meters.
    load_wh : FloatArray, shape (homes, slots)
        Consumption, the baseline's import. [Wh]
    retail_price_per_mwh : FloatArray, shape (slots,) or (homes, slots)
        π_i, the same for all homes or each home's own. [currency/MWh]
    plant_export_wh : FloatArray, shape (slots,), optional
        Export of the aggregator's own plant, >= 0. [Wh]
    wire_price_share : float
        Price of matched energy over the retail price, 0..1; 1 means no wire.

    Notes
    -----
    Couraud 2021, section IV: a household that consumes what another asset of the fleet
    produces pays 48 % of the retail price. An export without a commitment earns a home nothing.
    """
    slots = _require_registers(counted, load_wh)
    for own_per_mwh in np.atleast_2d(retail_price_per_mwh):
        require_series("retail price", own_per_mwh, slots)
    require_number("wire_price_share", wire_price_share, minimum=0.0, maximum=1.0)
    plant_wh = np.zeros(slots) if plant_export_wh is None else plant_export_wh
    require_series("plant_export_wh", plant_wh, slots, minimum=0.0)
    matched_wh = matched_import_wh(counted, plant_wh)
    charged_wh = counted.import_wh - (1 - wire_price_share) * matched_wh
    return Bills(
        bill=_cost(charged_wh, retail_price_per_mwh),
        baseline=_cost(load_wh, retail_price_per_mwh),
        wire_wh=matched_wh.sum(axis=1),
    )


def _cost(energy_wh: FloatArray, price_per_mwh: FloatArray) -> FloatArray:
    """Return what energy costs each home, shape (homes,). [currency]"""
    if price_per_mwh.ndim == 1:
        return energy_wh @ price_per_mwh / 1e6
    cost: FloatArray = (energy_wh * price_per_mwh).sum(axis=1) / 1e6
    return cost


def matched_import_wh(counted: Registers, plant_export_wh: FloatArray) -> FloatArray:
    """Return each home's import that exports of the same period matched. [Wh]

    Parameters
    ----------
    counted : Registers
        The homes' meters.
    plant_export_wh : FloatArray, shape (slots,)
        Export of the aggregator's own plant. [Wh]

    Returns
    -------
    FloatArray, shape (homes, slots)
        Exports of all members, at most all imports, shared in proportion to imports. [Wh]
    """
    imported_wh = counted.import_wh.sum(axis=0)
    exported_wh = counted.export_wh.sum(axis=0) + plant_export_wh
    matched_wh = np.minimum(imported_wh, exported_wh)
    share: FloatArray = matched_wh / np.where(imported_wh > 0, imported_wh, 1.0)
    return counted.import_wh * share


def _require_whole_periods(grid_power_w: FloatArray, step_s: int, period_s: int) -> None:
    """Raise unless finite steps fill whole periods."""
    if period_s % step_s or grid_power_w.ndim != 2 or grid_power_w.shape[1] % (period_s // step_s):
        msg = (
            f"grid power of shape {grid_power_w.shape} in steps of {step_s} s does not fill "
            f"periods of {period_s} s; give (homes, steps) over whole periods"
        )
        raise PlanInputError(msg)
    if not np.isfinite(grid_power_w).all():
        home, step = np.argwhere(~np.isfinite(grid_power_w))[0]
        msg = f"grid power of home {home} in step {step} is not finite; fill the gap first"
        raise PlanInputError(msg)


def _require_registers(counted: Registers, load_wh: FloatArray) -> int:
    """Return the number of slots, or raise for the first series that does not fit."""
    series = {
        "import_wh": counted.import_wh,
        "export_wh": counted.export_wh,
        "load_wh": load_wh,
    }
    shape = counted.import_wh.shape
    for name, energy_wh in series.items():
        if energy_wh.ndim != 2 or energy_wh.shape != shape:
            msg = f"{name} has shape {energy_wh.shape}, import_wh {shape}; give (homes, slots)"
            raise PlanInputError(msg)
        bad = np.argwhere(~(np.isfinite(energy_wh) & (energy_wh >= 0)))
        if bad.size:
            home, slot = bad[0]
            msg = f"{name} of home {home} is {energy_wh[home, slot]:g} in slot {slot}; must be >= 0"
            raise PlanInputError(msg)
    return int(shape[1])
