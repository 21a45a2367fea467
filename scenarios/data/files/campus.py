"""A campus with PV, and charging sessions of electric cars at work."""

from datetime import UTC
from pathlib import Path

import numpy as np
import pandas as pd

from scenarios.data.files.tables import aware_utc, naive_times, read_columns
from scenarios.errors import DataFormatError

CAMPUS_FILE = "re_twinsolar_campus_10min_2021_2022.csv.gz"
CHARGING_FILE = "us_acn_ev_sessions_2018-10_2021-09.csv.gz"


def campus(folder: Path) -> pd.DataFrame:
    """Return the loads and the PV of a campus by UTC ten minutes, NaN in the gaps. [W]

    Returns
    -------
    pd.DataFrame
        ``crous_load_w``, ``esiroi_seasoi_load_w``, ``iut_load_w`` and ``pv_w`` of 46 kWp.
    """
    columns = {
        "crous_load_kW": "crous_load_w",
        "esiroi_seasoi_load_kW": "esiroi_seasoi_load_w",
        "iut_total_kW": "iut_load_w",
        "enerpos_pv46kWp_kW": "pv_w",
    }
    frame = read_columns(folder, CAMPUS_FILE, ["utc", *columns])
    frame.index = aware_utc(frame["utc"], name=CAMPUS_FILE)
    # The file writes night as -0.0; adding zero drops the sign.
    return frame[list(columns)].rename(columns=columns).astype(np.float64) * 1000.0 + 0.0


def charging_sessions(folder: Path) -> pd.DataFrame:
    """Return workplace charging sessions, one a row.

    Returns
    -------
    pd.DataFrame
        ``session``, ``station``, ``user``; ``connected``, ``disconnected`` and ``charged``, aware
        UTC; ``energy_wh``, what the car took [Wh]; ``mean_power_w``, over the time of charging [W].

    Notes
    -----
    The file's times are naive and fit UTC: arrivals peak at 14 h, the Californian morning.
    """
    names = ["ConnectionStartDateTime", "ConnectionEndDateTime", "ChargingEndDateTime"]
    held = ["Session", "ChargingStation", "UserID", "Power", "Energy"]
    frame = read_columns(folder, CHARGING_FILE, [*held, *names])
    begin, end, charged = (
        naive_times(frame[name], name=CHARGING_FILE).tz_localize(UTC) for name in names
    )
    bad = np.flatnonzero(end <= begin)
    if bad.size:
        row = int(bad[0])
        msg = (
            f"{CHARGING_FILE} row {row + 1}: session ends at {end[row]}, before it begins; drop it"
        )
        raise DataFormatError(msg)
    return pd.DataFrame(
        {
            "session": frame["Session"],
            "station": frame["ChargingStation"],
            "user": frame["UserID"],
            "connected": begin,
            "disconnected": end,
            "charged": charged,
            "energy_wh": frame["Energy"] * 1000.0,
            "mean_power_w": frame["Power"] * 1000.0,
        }
    )
