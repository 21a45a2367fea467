"""The target that peak shaving sets for a day: as low as one full window can hold it."""

import numpy as np

from devices.arrays import FloatArray

NO_PEAK_W = -1e19
"""Highest target of a month that has only begun. [W]"""


def shave_target_w(  # noqa: PLR0917 -- compiled code takes no keywords
    net_w: FloatArray,
    step_h: float,
    useful_wh: float,
    reached_w: float,
    charge_efficiency: float,
    margin: float,
) -> float:
    """Return the import that a day is held at.

    Parameters
    ----------
    net_w : FloatArray, shape (steps,)
        Load less production expected in each step of the day. [W]
    step_h : float
        Length of a step. [h]
    useful_wh : float
        Energy between the ends of the battery's window. [Wh]
    reached_w : float
        Highest target of the month so far; ``NO_PEAK_W`` at its start. [W]
    charge_efficiency : float
        Share of the energy below the target that counts as chargeable.
    margin : float
        Share that the target is raised by, for safety.

    Returns
    -------
    float
        The target, at least ``reached_w``. [W]

    Notes
    -----
    Marchi 2022, policies 1 and 2, as SAM computes them: from the highest step downwards, as long as
    what is cut off can be charged below the level and fits one window. It looks neither at the
    state of charge nor at what may charge. Where what is cut off cannot be charged, SAM lowers the
    level by what the one above it could charge, at times below 0; so does this. Plain loops, so
    that simulations can compile it.
    """
    level = np.sort(net_w)[::-1]
    if level[0] < reached_w:
        return reached_w
    count = level.size
    rest = np.cumsum(level[::-1])[::-1]
    target, cut_wh = level[0], 0.0
    for k in range(count - 1):
        lower = level[k + 1]
        if lower < 0:
            break
        target = lower
        cut_wh += (level[k] - lower) * (k + 1) * step_h
        if cut_wh > ((count - k - 1) * lower - rest[k + 1]) * step_h * charge_efficiency:
            room_wh = ((count - k) * level[k] - rest[k]) * step_h * charge_efficiency
            target += (cut_wh - room_wh) / ((k + 1) * step_h)
            break
        if cut_wh > useful_wh:
            target += (cut_wh - useful_wh) / ((k + 1) * step_h)
            break
    return float(max(target * (1 + margin), reached_w))


def holdable_w(
    net_w: FloatArray, step_h: float, useful_wh: float, charge_efficiency: float
) -> float:
    """Return the least import that a day can be held at.

    Parameters
    ----------
    net_w, step_h, useful_wh, charge_efficiency
        As in `shave_target_w`.

    Returns
    -------
    float
        The level above which lies one full window, or as much as can be charged below it. [W]

    Notes
    -----
    Energy above a level is the greatest of straight lines in the level, one for each number of
    steps above it; less what can be charged, too. So where it meets a limit is the highest of the
    places where they do.
    """
    level = np.sort(net_w)[::-1]
    count = np.arange(1, level.size + 1)
    above_w = np.cumsum(level)
    by_window_w = np.max((above_w - useful_wh / step_h) / count)
    below_w, below = above_w[-1] - above_w, level.size - count
    by_charge_w = np.max(
        (above_w + charge_efficiency * below_w) / (count + charge_efficiency * below)
    )
    return float(max(by_window_w, by_charge_w))
