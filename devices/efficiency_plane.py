"""Efficiency as a plane over C-rate and state of charge: linear, as control algorithms want it."""

from dataclasses import dataclass

import numpy as np

from devices.arrays import FloatArray
from devices.battery_efficiency import EfficiencyTable, require_range

LEAST_SOC = 0.1
"""Below this share of capacity the curves bend and are left out (Becchi 2024, §III.B)."""
POINTS = 33
"""Places along each axis at which the curves are read for the fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EfficiencyPlane:
    """η = a + b · C-rate + c · SoC for each home and direction, within where it was fitted."""

    charge: FloatArray
    """a, b and c when charging, shape (homes, 3)."""
    discharge: FloatArray
    """a, b and c when discharging, shape (homes, 3)."""
    c_rate_range: tuple[float, float]
    """C-rates of the fit; beyond them the plane is read at the nearer end. [1/h]"""
    soc_range: tuple[float, float]
    """States of charge of the fit; likewise."""
    worst_error: FloatArray
    """Greatest difference from the curves within the fit, shape (homes,)."""

    def charge_at(self, c_rate: FloatArray, soc: FloatArray) -> FloatArray:
        """Return η_c at a C-rate >= 0 and a state of charge, shape (homes,). [1/h]"""
        return self._at(self.charge, c_rate, soc)

    def discharge_at(self, c_rate: FloatArray, soc: FloatArray) -> FloatArray:
        """Return η_d at a C-rate >= 0 and a state of charge, shape (homes,). [1/h]"""
        return self._at(self.discharge, c_rate, soc)

    def _at(self, plane: FloatArray, c_rate: FloatArray, soc: FloatArray) -> FloatArray:
        rate = np.clip(c_rate, *self.c_rate_range)
        charge = np.clip(soc, *self.soc_range)
        return plane[:, 0] + plane[:, 1] * rate + plane[:, 2] * charge


def linearised(
    table: EfficiencyTable,
    *,
    c_rate_range: tuple[float, float],
    soc_range: tuple[float, float] = (LEAST_SOC, 1.0),
) -> EfficiencyPlane:
    """Fit planes to efficiency curves, by least squares.

    Parameters
    ----------
    table : EfficiencyTable
        The curves.
    c_rate_range : tuple[float, float]
        C-rates that matter, at the cells, rising. Leave out the part load where a converter's own
        consumption bends the curve. [1/h]
    soc_range : tuple[float, float]
        States of charge that matter, rising.

    Raises
    ------
    ValueError
        If a range is empty or out of 0..1 (SoC) or below 0 (C-rate).

    Notes
    -----
    Becchi 2024, §III.B, after A. Gonzalez-Castellanos et al., IEEE Transactions on Power Systems
    35 (2020), doi:10.1109/TPWRS.2019.2930450: above 10 % of capacity the curves over C-rate and
    state of charge are linearised. ``worst_error`` tells what that costs.
    """
    for name, given, most in (("C-rates", c_rate_range, np.inf), ("SoC", soc_range, 1.0)):
        require_range(f"efficiency {name}", np.array(given), 0.0, most)
        if not given[0] < given[1]:
            msg = f"efficiency {name} to fit are {given}, must rise"
            raise ValueError(msg)
    rates, socs = np.linspace(*c_rate_range, POINTS), np.linspace(*soc_range, POINTS)
    rate, soc = (axis.ravel() for axis in np.meshgrid(rates, socs))
    design = np.stack([np.ones(rate.size), rate, soc], axis=1)
    planes, worst = [], np.zeros(table.charge.shape[0])
    for values in (table.charge, table.discharge):
        curves = _read(table, values, rates, socs)
        plane: FloatArray = np.linalg.lstsq(design, curves.T, rcond=None)[0].T.astype(np.float64)
        worst = np.maximum(worst, np.abs(curves - plane @ design.T).max(axis=1))
        planes.append(plane)
    return EfficiencyPlane(
        charge=planes[0],
        discharge=planes[1],
        c_rate_range=c_rate_range,
        soc_range=soc_range,
        worst_error=worst,
    )


def _read(
    table: EfficiencyTable, values: FloatArray, rates: FloatArray, socs: FloatArray
) -> FloatArray:
    """Return a table's values over a grid, shape (homes, socs × rates)."""
    by_rate = _weights(table.c_rates, rates)
    by_soc = _weights(table.socs, socs)
    read: FloatArray = np.einsum("hij,ri,sj->hsr", values, by_rate, by_soc)
    return read.reshape(values.shape[0], -1)


def _weights(knots: FloatArray, at: FloatArray) -> FloatArray:
    """Return the share of each knot in what is read at each place, shape (places, knots)."""
    hats = np.eye(knots.size)
    return np.stack([np.interp(at, knots, hat) for hat in hats], axis=1)
