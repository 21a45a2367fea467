"""Sun: six real PV systems per unit of rating, and the irradiance of the CREST homes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from contracts.timegrid import TimeGrid
from devices.arrays import FloatArray
from scenarios.data.files.homes import HOME_FILES, local_minutes
from scenarios.data.files.tables import read_columns, require_powers
from scenarios.errors import DataFormatError, DataRequestError

PV_FILE = "uk_ukpn_pv_1min_july_31d_6systems.parquet"
PV_SYSTEMS = 6
"""Systems in the file."""
PV_DAYS = 30
"""Days of July that are dated to the window, from the first on."""
PV_FIRST_DAY = datetime(2020, 5, 11, tzinfo=UTC)
"""Where 1 July is dated to.

The file's minutes are UTC: production starts at 4:23 on 1 July, before the sun rises on a clock of
summer time (4:47), and its centre over systems and days is 12:02, solar noon in UTC.
"""
PER_UNIT_MAX = 1.5
"""A greatest value above says that the file is not per unit of rating."""
CREST_PERFORMANCE = 0.85
"""Share of a rating that a panel gives at 1000 W/m², after heat, wires and inverter."""


def pv_per_unit(folder: Path, grid: TimeGrid) -> FloatArray:
    """Return the output of each system over its rating, on a grid of the year it is dated to.

    Parameters
    ----------
    folder : Path
        Folder of the data files.
    grid : TimeGrid
        Minutes; at most an hour may lie before `PV_FIRST_DAY`, which is night and gives 0.

    Returns
    -------
    FloatArray, shape (PV_SYSTEMS, minutes)
        0..1.
    """
    names = [f"pv_pu_{system}" for system in range(PV_SYSTEMS)]
    frame = read_columns(folder, PV_FILE, names)
    first = int((grid.start - PV_FIRST_DAY) / timedelta(minutes=1))
    if first < -60 or first + grid.count > PV_DAYS * 1440:
        msg = f"{PV_FILE} covers {PV_DAYS} days from {PV_FIRST_DAY}; choose a day inside"
        raise DataRequestError(msg)
    rows = frame.iloc[max(first, 0) : first + grid.count]
    if len(rows) != first + grid.count - max(first, 0):
        msg = f"{PV_FILE} ends at row {len(frame)}, needs {first + grid.count}; complete the file"
        raise DataFormatError(msg)
    require_powers(rows, name=PV_FILE, first_row=max(first, 0))
    values = rows.to_numpy(dtype=np.float64).T
    if values.max() > PER_UNIT_MAX:
        row = int(values.max(axis=0).argmax()) + max(first, 0) + 1
        msg = f"{PV_FILE} row {row}: {values.max():g} per unit; divide the file by the ratings"
        raise DataFormatError(msg)
    return np.concatenate([np.zeros((PV_SYSTEMS, max(-first, 0))), values], axis=1)


def crest_pv_per_unit(folder: Path, grid: TimeGrid) -> FloatArray:
    """Return one output over rating for all homes, from the irradiance of the CREST set.

    Returns
    -------
    FloatArray, shape (1, minutes)
        0..1: irradiance over 1000 W/m² times `CREST_PERFORMANCE`.
    """
    rows = local_minutes(folder, HOME_FILES["crest"], ["ghi_W_per_m2"], grid)
    ghi_w_per_m2 = rows.to_numpy(dtype=np.float64).T
    return np.clip(CREST_PERFORMANCE * ghi_w_per_m2 / 1000.0, 0.0, 1.0)
