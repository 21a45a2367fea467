"""What a battery can reach before the market interval ends, given forecast, power and caps."""

from dataclasses import dataclass

import numpy as np

from devices.arrays import FloatArray
from hems.controller import Observation


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Achievable ranges up to the end of the horizon; every field has shape (homes,)."""

    export_low_wh: FloatArray
    """Least net export: the battery takes all it can. [Wh]"""
    export_high_wh: FloatArray
    """Greatest net export: the battery gives all it can, within the export cap. [Wh]"""
    stored_low_wh: FloatArray
    """Least energy in the cells at the end. [Wh]"""
    stored_high_wh: FloatArray
    """Greatest energy in the cells at the end. [Wh]"""


def reach(seen: Observation) -> Reach:
    """Return what each home can achieve from now to the end of the horizon.

    Notes
    -----
    Couraud 2021 coerces RE^{t,k} and SoC^{t,A} into achievable values and leaves the range open;
    this is it. Per block, the terminals can move the home's surplus up to one cap or down to the
    other; over the horizon, the energy and the room in the cells bound the sum. A battery that
    takes all it can does not give before: losses of a cycle, which would lower net export further,
    do not count as reach.

    Exact where load less production stays within both caps in every block. A surplus above the
    export cap or a deficit above the import cap forces the battery in that block; what this does to
    the others is left out. The stored range is then too wide, ``export_low_wh`` may lie too low,
    ``export_high_wh`` too low (surplus) or too high (deficit).
    """
    bank, step_h = seen.bank, seen.block_s / 3600
    low_wh, high_wh = bank.window_wh(seen.stored_wh)
    eta_c, eta_d = bank.charge_efficiency, bank.discharge_efficiency
    cells_wh = bank.power_max_w[:, None] * step_h
    surplus_wh = (seen.pv_w - seen.load_w) * step_h
    export_cap_wh = seen.export_limit_w[:, None] * step_h
    import_cap_wh = seen.import_limit_w[:, None] * step_h

    give_wh = np.clip(export_cap_wh - surplus_wh, 0.0, eta_d[:, None] * cells_wh).sum(axis=1)
    take_wh = np.clip(surplus_wh + import_cap_wh, 0.0, cells_wh / eta_c[:, None]).sum(axis=1)
    give_wh = np.minimum(give_wh, eta_d * (seen.stored_wh - low_wh))
    take_wh = np.minimum(take_wh, (high_wh - seen.stored_wh) / eta_c)

    export_high_wh = np.minimum(surplus_wh, export_cap_wh).sum(axis=1) + give_wh
    return Reach(
        export_low_wh=np.minimum(surplus_wh.sum(axis=1) - take_wh, export_high_wh),
        export_high_wh=export_high_wh,
        stored_low_wh=seen.stored_wh - give_wh / eta_d,
        stored_high_wh=seen.stored_wh + take_wh * eta_c,
    )


def followed_wh(seen: Observation) -> FloatArray:
    """Return the change of energy in the cells when block 0 follows residual demand.

    Returns
    -------
    FloatArray, shape (homes,)
        η (E_p − E_d) of eq. (8)-(9), as far as power and window allow; > 0 charges. [Wh]
    """
    surplus_w = seen.pv_w[:, 0] - seen.load_w[:, 0]
    after_wh, _ = seen.bank.advance(seen.stored_wh, surplus_w, float(seen.block_s[0]))
    return after_wh - seen.stored_wh


def cap_excess_wh(seen: Observation) -> FloatArray:
    """Return by how much a home that follows residual demand exceeds its grid caps in block 0.

    Returns
    -------
    FloatArray, shape (homes,)
        Energy above the import or the export cap. [Wh]
    """
    step_h = float(seen.block_s[0]) / 3600
    surplus_w = seen.pv_w[:, 0] - seen.load_w[:, 0]
    _, battery_w = seen.bank.advance(seen.stored_wh, surplus_w, float(seen.block_s[0]))
    grid_w = battery_w - surplus_w
    over_w = np.maximum(grid_w - seen.import_limit_w, -grid_w - seen.export_limit_w)
    return np.maximum(over_w, 0.0) * step_h
