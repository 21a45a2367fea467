"""The one place that chooses between real and generated data."""

from datetime import date
from pathlib import Path

from scenarios.data.fleet_data import FleetData
from scenarios.data.generate import generate_fleet_data
from scenarios.data.own import is_own_folder, load_own_fleet_data
from scenarios.data.real import HomeSet, load_fleet_data


def fleet_data(
    folder: Path | None,
    *,
    day: date,
    homes: int = 70,
    seed: int = 0,
    history_days: int = 2,
    home_set: HomeSet = "bootstrap",
) -> FleetData:
    """Return the data of a folder, the real set or a user's own, or generated data without one.

    Parameters
    ----------
    folder : Path or None
        Folder of the real set, usually the value of ``GRIDPACT_DATA``; or of a user's own files,
        see `scenarios.data.own`.
    day : date
        Local market day.
    homes : int
        Size of the fleet.
    seed : int
        Everything that is drawn, is drawn from it: same seed, same bytes.
    history_days : int
        Local days of minutes before the market day.
    home_set : {"bootstrap", "crest"}
        Which homes of the real set; the other sources ignore it.

    Raises
    ------
    DataError
        If a file is missing or broken, or does not hold what is asked.
    """
    if folder is None:
        return generate_fleet_data(day=day, homes=homes, seed=seed, history_days=history_days)
    if is_own_folder(folder):
        return load_own_fleet_data(folder, day=day, homes=homes, history_days=history_days)
    return load_fleet_data(
        folder, day=day, homes=homes, seed=seed, history_days=history_days, home_set=home_set
    )
