"""Prices of three countries as UTC series in currency per MWh, missing values kept as NaN."""

from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from scenarios.data.files.tables import aware_utc, naive_times, read_columns
from scenarios.errors import DataFormatError

GB_DAY_AHEAD_FILE = "gb_dayahead_hourly_2019-10_2020-09.csv.gz"
GB_AGILE_FILE = "gb_agile_import_regionA_30min_2018-02_2021-08.csv.gz"
GB_IMBALANCE_FILE = "gb_imbalance_ssp_sbp_niv_30min_2016-06_2023-01.csv.gz"
ITALY_FILE = "it_pun_zonal_hourly_2019_2024.csv.gz"
GERMANY_FILE = "de_dayahead_hourly_2015-2020_2023-05_2025.csv.gz"
PER_MWH_OF_PENCE_PER_KWH = 10.0
"""1 p/kWh is 10 GBP/MWh."""
PENCE_MEDIAN_MAX = 100.0
"""A median tariff above says that the unit is not p/kWh. [p/kWh]"""


def gb_day_ahead(folder: Path) -> "pd.Series[float]":
    """Return the GB day-ahead price by UTC hour. [GBP/MWh]"""
    return _utc_price(folder, GB_DAY_AHEAD_FILE, "price_GBP_per_MWh", "day_ahead_gbp_per_mwh")


def gb_agile_import(folder: Path) -> "pd.Series[float]":
    """Return Octopus Agile's import price with VAT, region A, by UTC half-hour. [GBP/MWh]"""
    column = "agile_import_p_per_kWh_incVAT_regionA"
    pence_per_kwh = _utc_price(folder, GB_AGILE_FILE, column, "agile_import_gbp_per_mwh")
    median = float(pence_per_kwh.median())
    if abs(median) > PENCE_MEDIAN_MAX:
        msg = (
            f"{GB_AGILE_FILE} row 1 on: median of {column} is {median:g} p/kWh, above "
            f"{PENCE_MEDIAN_MAX:g}; if it is GBP/MWh, divide the file by 10"
        )
        raise DataFormatError(msg)
    return pence_per_kwh * PER_MWH_OF_PENCE_PER_KWH


def gb_imbalance(folder: Path) -> pd.DataFrame:
    """Return GB imbalance by UTC half-hour.

    Returns
    -------
    pd.DataFrame
        ``system_sell_gbp_per_mwh``, ``system_buy_gbp_per_mwh`` (equal throughout) [GBP/MWh], and
        ``net_imbalance_mwh``, > 0 when the system was short [MWh]. 2019-02-11 to 04-07 has no rows.
    """
    columns = {
        "system_sell_GBP_per_MWh": "system_sell_gbp_per_mwh",
        "system_buy_GBP_per_MWh": "system_buy_gbp_per_mwh",
        "net_imbalance_volume_MWh": "net_imbalance_mwh",
    }
    frame = read_columns(folder, GB_IMBALANCE_FILE, ["utc_start", *columns])
    frame.index = aware_utc(frame["utc_start"], name=GB_IMBALANCE_FILE)
    return frame[list(columns)].rename(columns=columns).astype(np.float64)


def italy_day_ahead(folder: Path, *, zone: str = "PUN") -> "pd.Series[float]":
    """Return the Italian single price, or a zone's, by UTC hour. [EUR/MWh]

    Parameters
    ----------
    folder : Path
        Folder of the data files.
    zone : str
        ``PUN``, or a bidding zone such as ``NORD``.

    Notes
    -----
    The file's ``hour`` counts the hours of the local day, 1 to 23, 24 or 25, and ``local_start`` is
    local midnight and as many hours on a clock that never changes: hour 25 bears the next date.
    """
    frame = read_columns(folder, ITALY_FILE, ["local_start", "hour", zone])
    since_midnight = pd.to_timedelta(frame["hour"].to_numpy() - 1, unit="h")
    midnight = naive_times(frame["local_start"], name=ITALY_FILE) - since_midnight
    index = midnight.tz_localize(ZoneInfo("Europe/Rome")).tz_convert(UTC) + since_midnight
    return pd.Series(
        frame[zone].to_numpy(dtype=np.float64), index=index, name=f"{zone.lower()}_eur_per_mwh"
    )


def germany_day_ahead(folder: Path) -> "pd.Series[float]":
    """Return the German day-ahead price by UTC hour; 2021-01 to 2023-04 has no rows. [EUR/MWh]"""
    return _utc_price(folder, GERMANY_FILE, "price_EUR_per_MWh", "day_ahead_eur_per_mwh")


def _utc_price(folder: Path, file: str, column: str, name: str) -> "pd.Series[float]":
    """Return a price column on its aware UTC index."""
    frame = read_columns(folder, file, ["utc_start", column])
    index = aware_utc(frame["utc_start"], name=file)
    return pd.Series(frame[column].to_numpy(dtype=np.float64), index=index, name=name)
