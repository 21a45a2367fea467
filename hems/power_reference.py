"""A power to hold at the grid connection: the battery makes up for whatever the house does."""

from dataclasses import dataclass, fields

import numpy as np

from devices.arrays import FloatArray
from hems.errors import ControlInputError


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerReference:
    """The set-point of the next device cycle, from the last one and what was measured since.

    Raises
    ------
    ControlInputError
        If a setting is not finite or out of its range.

    Notes
    -----
    Burgio 2023, section 2: e = P_ref − P, P_batt ← P_batt + e, each time the devices are read. With
    the set-point for P_batt this is an integrator around battery and meter, and the print's gain of
    one never settles as soon as the meter is a cycle behind: the error it sees is the one it has
    corrected already (z² − z + 1 has its zeros on the unit circle). So the error is taken at
    ``gain``. Of 0.3, the loop is stable where the meter is up to three cycles behind (a gain below
    2 sin(π / (4 d + 2)), d the delay in cycles), and where the battery has a lag of some cycles on
    top of one or two.

    With the battery's measured power for P_batt the print would be a plain subtraction of the
    house's load, but only where battery and meter are read at the same instant. They are not.

    A battery that gives less than it is asked for (full, empty, hot, refusing) leaves an error that
    no set-point mends. The set-point is kept within ``lead_w`` of the measured power, so that it
    has nothing to unwind when the error turns (back-calculation to the measured power).
    """

    gain: float = 0.3
    """Share of the error that one cycle corrects, 0..1; 1 is the print."""
    rate_w_per_s: float = 2_000.0
    """How fast the set-point may change, > 0. [W/s]"""
    lead_w: float = 1_000.0
    """How far the set-point may be ahead of the measured power, > 0. [W]"""
    dead_band_w: float = 10.0
    """An error up to this is left: meters are noisy, and writes wear a device out, >= 0. [W]"""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            low = value >= 0 if field.name == "dead_band_w" else value > 0
            if not (low and np.isfinite(value)) or (field.name == "gain" and value > 1):
                msg = f"power reference: {field.name} of {value:g}; see its range, 0.3 is a gain"
                raise ControlInputError(msg)

    def next_w(
        self,
        set_point_w: FloatArray | None,
        *,
        reference_w: FloatArray,
        grid_power_w: FloatArray,
        battery_power_w: FloatArray,
        charge_max_w: FloatArray,
        discharge_max_w: FloatArray,
        cycle_s: float,
    ) -> FloatArray:
        """Return the set-point for the next cycle.

        Parameters
        ----------
        set_point_w : FloatArray, shape (homes,), or None
            What this returned a cycle ago; None at the start, which goes on from the measured
            power without a bump. [W]
        reference_w : FloatArray, shape (homes,)
            Power to hold at the grid connection, > 0 imports. [W]
        grid_power_w : FloatArray, shape (homes,)
            What the meter reads; NaN where it does not, which leaves the set-point. [W]
        battery_power_w : FloatArray, shape (homes,)
            What the battery does, at its terminals, > 0 charges; NaN where it is not known. [W]
        charge_max_w, discharge_max_w : FloatArray, shape (homes,)
            The battery's limits, >= 0. [W]
        cycle_s : float
            Time since the last cycle. [s]

        Returns
        -------
        FloatArray, shape (homes,)
            Terminal power to ask for, > 0 charges, within the limits. [W]
        """
        before_w = np.nan_to_num(battery_power_w, nan=0.0) if set_point_w is None else set_point_w
        error_w = np.nan_to_num(reference_w - grid_power_w, nan=0.0, posinf=0.0, neginf=0.0)
        error_w = np.where(np.abs(error_w) <= self.dead_band_w, 0.0, error_w)
        wanted_w = before_w + self.gain * error_w
        known_w = np.where(np.isfinite(battery_power_w), battery_power_w, wanted_w)
        wanted_w = np.clip(wanted_w, known_w - self.lead_w, known_w + self.lead_w)
        step_w = self.rate_w_per_s * cycle_s
        wanted_w = np.clip(wanted_w, before_w - step_w, before_w + step_w)
        return np.clip(wanted_w, -discharge_max_w, charge_max_w)
