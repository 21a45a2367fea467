"""Wind: minutes of a 5 MW turbine, and hourly weather of Bedford."""

from datetime import UTC, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from contracts.timegrid import TimeGrid
from devices.arrays import FloatArray
from scenarios.data.files.tables import naive_times, read_columns, require_powers, require_steps
from scenarios.errors import DataFormatError, DataRequestError

WIND_FILE = "wind_1min_5MW_turbine_2021_hisim.parquet"
WIND_YEAR = 2021
WIND_RATING_KW = 5_000.0
WEATHER_FILE = "uk_midas_bedford_wind_temp_hourly_2019_2020.csv.gz"
METRE_PER_SECOND_PER_KNOT = 1852 / 3600


def wind_per_unit(folder: Path, grid: TimeGrid) -> FloatArray:
    """Return the turbine's output over its rating at the same month, day and UTC time of its year.

    Parameters
    ----------
    folder : Path
        Folder of the data files.
    grid : TimeGrid
        Minutes of any one year, without 29 February.

    Returns
    -------
    FloatArray, shape (minutes,)
        0..1.
    """
    frame = read_columns(folder, WIND_FILE, ["generated_power"])
    index = naive_times(pd.DatetimeIndex(frame.index), name=WIND_FILE).tz_localize(UTC)
    require_steps(index, step_s=60, name=WIND_FILE)
    try:
        start = grid.start.replace(year=WIND_YEAR)
    except ValueError as error:
        msg = f"{WIND_FILE} has no 29 February; choose another day"
        raise DataRequestError(msg) from error
    first = int((start - index[0].to_pydatetime()) / timedelta(minutes=1))
    rows = frame.iloc[max(first, 0) : first + grid.count]
    if len(rows) != grid.count:
        msg = f"{WIND_FILE} holds {index[0]} to {index[-1]}, {start} on is needed; complete it"
        raise DataRequestError(msg)
    require_powers(rows, name=WIND_FILE, first_row=first)
    powers_kw = rows["generated_power"].to_numpy(dtype=np.float64)
    if powers_kw.max() > 1.1 * WIND_RATING_KW:
        row = int(powers_kw.argmax()) + first + 1
        msg = f"{WIND_FILE} row {row}: {powers_kw.max():g} kW of {WIND_RATING_KW:g}; write it in kW"
        raise DataFormatError(msg)
    return np.minimum(powers_kw / WIND_RATING_KW, 1.0)


def bedford_weather(folder: Path) -> pd.DataFrame:
    """Return hourly ``wind_speed_m_per_s`` and ``temperature_c`` by UTC hour, NaN in the gaps."""
    frame = read_columns(folder, WEATHER_FILE, ["utc", "wind_speed", "air_temperature"])
    index = naive_times(frame["utc"], name=WEATHER_FILE).tz_localize(UTC)
    weather = pd.DataFrame(
        {
            "wind_speed_m_per_s": frame["wind_speed"].to_numpy() * METRE_PER_SECOND_PER_KNOT,
            "temperature_c": frame["air_temperature"].to_numpy(),
        },
        index=index,
    )
    hours = pd.date_range(index[0], index[-1], freq="h")
    return weather.reindex(hours)
