"""From what a home measured and was told to what its controller sees."""

import numpy as np

from devices.arrays import FloatArray, IntArray
from hems.errors import ForecastError
from hems.forecast import QUARTER_S


def owed_export_wh(
    *,
    remaining_export_wh: FloatArray,
    export_weight: FloatArray,
    import_weight: FloatArray,
    exported_since_wh: FloatArray,
    promised: bool,
    steered: bool,
    unsteered_wh: float | FloatArray,
) -> FloatArray:
    """Return each home's remaining net export RE^{t,k}.

    Parameters
    ----------
    remaining_export_wh : FloatArray, shape (homes,)
        RE^{t,A} from the contract's last answer. [Wh]
    export_weight, import_weight : FloatArray, shape (homes,)
        w_e^k and w_i^k from the same answer, 0..1.
    exported_since_wh : FloatArray, shape (homes,)
        Net export since that answer. [Wh]
    promised : bool
        Whether anything was sold in this interval (E_c > 0).
    steered : bool
        S^t: whether batteries aim at the fleet's state of charge in this interval.
    unsteered_wh : float or FloatArray, shape (homes,)
        Net export expected from the answer to the interval's end of members that have no battery,
        such as the aggregator's own plant; 0 gives the print. [Wh]

    Returns
    -------
    FloatArray, shape (homes,)
        > 0: export still owed; < 0: the home should take energy back. [Wh]

    Notes
    -----
    Couraud 2021, eq. (7), with two additions. First, RE^{t,A} is what the fleet owes from now on; a
    plant that keeps producing will pay part of that without anybody's help, so its expected export
    is taken off. The print lets homes export the plant's part too and charge it back one t_sc
    later, through two losses, and never gets back that of the last t_sc.

    Second, where nothing was sold nothing is owed: a positive RE then counts as 0, as in the
    authors' rule-based control. The print would ask homes to give back at once what they import. A
    negative RE, surplus that others could store, counts where batteries follow (S = 0); where the
    schedule has them charge (S = 1) their aim at the state of charge takes more than the surplus.
    """
    ahead_wh = remaining_export_wh - unsteered_wh
    owed_wh = ahead_wh * np.where(ahead_wh >= 0, export_weight, import_weight) - exported_since_wh
    if promised:
        return owed_wh
    return np.zeros_like(owed_wh) if steered else np.minimum(owed_wh, 0.0)


def blocks_ahead_s(elapsed_s: int, interval_s: int, step_s: int) -> FloatArray:
    """Return the lengths of the blocks from now to the end of the market interval.

    Parameters
    ----------
    elapsed_s : int
        Time since the interval began. [s]
    interval_s : int
        Length of the interval. [s]
    step_s : int
        Time to the next decision, the length of block 0. [s]

    Returns
    -------
    FloatArray, shape (blocks,)
        The step, the rest of its quarter-hour, then each quarter up to the end. [s]
    """
    first = min(elapsed_s + step_s, interval_s)
    next_quarter = (first // QUARTER_S + 1) * QUARTER_S
    later = range(next_quarter, interval_s, QUARTER_S)
    edges = [elapsed_s, first, *later, interval_s]
    lengths = np.diff(np.array(edges, dtype=np.float64))
    return lengths[lengths > 0]


def expected_w(
    now_w: FloatArray, quarters_w: FloatArray, *, elapsed_s: int, block_s: FloatArray
) -> FloatArray:
    """Lay a forecast on the blocks: what is measured now for block 0, then the quarters.

    Parameters
    ----------
    now_w : FloatArray, shape (homes,)
        Last measured power. [W]
    quarters_w : FloatArray, shape (homes, quarters)
        Forecast from the quarter-hour that ``elapsed_s`` lies in. [W]
    elapsed_s : int
        Time since the market interval began, itself on a quarter-hour. [s]
    block_s : FloatArray, shape (blocks,)
        Lengths of the blocks. [s]

    Returns
    -------
    FloatArray, shape (homes, blocks)
        Expected power of each block. [W]
    """
    begins_s = elapsed_s + np.concatenate([[0.0], np.cumsum(block_s)[:-1]])
    quarter = (begins_s // QUARTER_S).astype(np.int64) - elapsed_s // QUARTER_S
    if quarter[-1] >= quarters_w.shape[1]:
        msg = f"forecast of {quarters_w.shape[1]} quarters ends before the blocks; ask for more"
        raise ForecastError(msg)
    return np.concatenate([now_w[:, None], quarters_w[:, quarter[1:]]], axis=1)


def unreported_wh(net_export_wh: FloatArray, reported_wh: IntArray) -> IntArray:
    """Return the whole Wh to report: the running total rounded, less what was reported before.

    Parameters
    ----------
    net_export_wh : FloatArray, shape (homes,)
        Net export since the home joined, as metered. [Wh]
    reported_wh : ndarray of int64, shape (homes,)
        Sum of all earlier reports. [Wh]

    Returns
    -------
    ndarray of int64, shape (homes,)
        Rounding never accumulates: reports always sum to the rounded total. [Wh]
    """
    due: IntArray = np.rint(net_export_wh).astype(np.int64) - reported_wh
    return due
