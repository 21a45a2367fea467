"""What a PV plant on three roofs in Brescia produces over SAM's year, through pvlib.

``production(step_s, seed, data=None) -> pv_w``, shape (steps of the year,), at the AC side. [W]

The plant is Marchi 2022's: 279 modules in 18 strings, 64.34 kWp, on three roofs tilted by 15° and
turned by 20°, 110° and −70°. A negative azimuth and the source that the paper names say that PVGIS'
convention is meant: 0° is south, 90° west, −90° east. So the roofs look south-south-west (200° from
north), west-north-west (290°) and east-south-east (110°). How the modules are shared out is not
told; 279 is three times 93, 18 three times 6, and 93 modules are three strings of 15 and three of
16: each roof has a third here.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from pvlib import atmosphere, iam, inverter, irradiance, pvsystem, solarposition, temperature

from devices.arrays import FloatArray
from scenarios.dispatch.campus_year import YEAR_DAYS, hour_of_step, steps_of_year
from scenarios.dispatch.sun_weather import Sky, Weather, drawn_weather, read_weather
from scenarios.errors import ScenarioInputError

LATITUDE_DEG, LONGITUDE_DEG, ALTITUDE_M = 45.6, 10.2, 150.0
"""Brescia, via Valotti; the paper names the first two."""
YEARLY_LOSS: Final = 0.008
"""Share of production that the paper's plant loses from each year to the next."""
HORIZON_DEG: Final = 89.5
"""Greatest zenith angle at which a step counts as day: below, a panel gives nothing of note. [°]"""
WIND_M_PER_S: Final = 1.5
"""Wind that cools the modules. [m/s]"""
REFERENCE_EFFICIENCY: Final = 0.9637
"""PVWatts' inverter, whose curve over load is scaled to ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roof:
    """Modules that look the same way.

    Raises
    ------
    ScenarioInputError
        If a number is out of its range.
    """

    rating_w: float
    """Power at 1000 W/m² and 25 °C. [W]"""
    tilt_deg: float
    """0: flat, 90: upright. [°]"""
    azimuth_deg: float
    """From south, west is positive, −180..180. [°]"""

    def __post_init__(self) -> None:
        ranges = {"rating_w": (0, np.inf), "tilt_deg": (0, 90), "azimuth_deg": (-180, 180)}
        for name, (low, high) in ranges.items():
            if not low <= getattr(self, name) <= high or not np.isfinite(getattr(self, name)):
                msg = f"roof: {name} is {getattr(self, name):g}; give {low:g} to {high:g}"
                raise ScenarioInputError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class PvPlant:
    """Roofs behind one inverter.

    Raises
    ------
    ScenarioInputError
        If there is no roof, or a share is none.

    Notes
    -----
    The losses together are PVGIS' usual 14 %: 10 % before the inverter and its 4 %.
    """

    roofs: tuple[Roof, ...]
    """At least one."""
    dc_loss: float = 0.10
    """Lost to dirt, mismatch and wires before the inverter, share."""
    inverter_efficiency: float = 0.96
    """DC to AC at full load; below it follows PVWatts' curve."""
    per_degree: float = -0.0042
    """Change of power with the cells' temperature, share. [1/K]"""

    def __post_init__(self) -> None:
        if not self.roofs:
            msg = "PV plant: it has no roof; give one at least"
            raise ScenarioInputError(msg)
        if not (0 <= self.dc_loss < 1 and 0 < self.inverter_efficiency <= 1):
            msg = (
                f"PV plant: dc_loss is {self.dc_loss:g}, inverter_efficiency "
                f"{self.inverter_efficiency:g}; give shares of 0 to 1"
            )
            raise ScenarioInputError(msg)

    @property
    def rating_w(self) -> float:
        """Rating of all roofs. [W]"""
        return sum(roof.rating_w for roof in self.roofs)


BRESCIA: Final = PvPlant(
    roofs=tuple(
        Roof(rating_w=64_340.0 / 3, tilt_deg=15.0, azimuth_deg=azimuth)
        for azimuth in (20.0, 110.0, -70.0)
    )
)
"""The paper's plant."""


def production(
    step_s: int, seed: int, data: Path | None = None, *, plant: PvPlant = BRESCIA
) -> FloatArray:
    """Return the AC power of a plant over SAM's year, shape (steps,), >= 0. [W]

    Parameters
    ----------
    step_s : int
        Length of a step, a divisor of 3600. [s]
    seed : int
        Of the clouds; a weather file leaves nothing to draw.
    data : Path or None
        A weather file, or a folder whose ``weather.csv`` is one (`sun_weather.read_weather`); None,
        or a folder without one, draws clouds before a clear sky.
    plant : PvPlant
        Roofs and losses; the first year's, see `YEARLY_LOSS`.

    Raises
    ------
    ScenarioInputError
        If no whole number of steps makes an hour.
    DataError
        If the weather file is broken.

    Notes
    -----
    Sun at the middle of each step; sky of Hay and Davies; reflections at
    glass; Faiman's cell temperature; PVWatts' modules and inverter.
    """
    sky = site_sky(step_s)
    weather = read_weather(data, step_s)
    if weather is None:
        weather = drawn_weather(seed, sky, step_s)
    return ac_power_w(plant, sky, weather)


def ac_power_w(plant: PvPlant, sky: Sky, weather: Weather) -> FloatArray:
    """Return the AC power of a plant under a weather, shape (steps,). [W]"""
    day = sky.zenith_deg < HORIZON_DEG
    dc_w = sum(_dc_power_w(plant, roof, sky.at(day), weather.at(day)) for roof in plant.roofs)
    power_w = np.zeros(day.size)
    power_w[day] = np.maximum(
        inverter.pvwatts(
            dc_w * (1 - plant.dc_loss),
            plant.rating_w,
            eta_inv_nom=plant.inverter_efficiency,
            eta_inv_ref=REFERENCE_EFFICIENCY,
        ),
        0.0,
    )
    return power_w


def site_sky(step_s: int) -> Sky:
    """Return where the sun stands over Brescia at the middle of each step of the year.

    Notes
    -----
    Spencer's series, good to a quarter of a degree. pvlib's functions that take times raise
    deprecation warnings under pandas 3; these take the day of the year.
    """
    count, hour = steps_of_year(step_s), hour_of_step(step_s)
    day_of_year = np.repeat(np.arange(YEAR_DAYS) + 1, count // YEAR_DAYS)
    day = day_of_year + hour / 24
    # The clock is that of 15° east, CET's meridian.
    ahead_h = (LONGITUDE_DEG - 15.0) / 15.0 + solarposition.equation_of_time_spencer71(day) / 60
    hour_angle = np.radians(15.0 * (hour + ahead_h - 12.0))
    declination, latitude = solarposition.declination_spencer71(day), np.radians(LATITUDE_DEG)
    zenith = solarposition.solar_zenith_analytical(latitude, hour_angle, declination)
    azimuth = solarposition.solar_azimuth_analytical(latitude, hour_angle, declination, zenith)
    zenith_deg = np.degrees(zenith)
    relative = atmosphere.get_relative_airmass(np.minimum(zenith_deg, HORIZON_DEG))
    return Sky(
        zenith_deg=zenith_deg,
        azimuth_deg=np.degrees(azimuth),
        air_mass=atmosphere.get_absolute_airmass(relative, atmosphere.alt2pres(ALTITUDE_M)),
        above_air_w_per_m2=irradiance.get_extra_radiation(day_of_year),
        day_of_year=day_of_year,
    )


def _dc_power_w(plant: PvPlant, roof: Roof, sky: Sky, weather: Weather) -> FloatArray:
    """Return what one roof gives before losses. [W]"""
    # pvlib counts azimuth from north, clockwise.
    panel = {"surface_tilt": roof.tilt_deg, "surface_azimuth": roof.azimuth_deg + 180.0}
    light = irradiance.get_total_irradiance(
        **panel,
        solar_zenith=sky.zenith_deg,
        solar_azimuth=sky.azimuth_deg,
        dni=weather.direct_w_per_m2,
        ghi=weather.global_w_per_m2,
        dhi=weather.diffuse_w_per_m2,
        dni_extra=sky.above_air_w_per_m2,
        albedo=0.2,
        model="haydavies",
    )
    angle_deg = irradiance.aoi(**panel, solar_zenith=sky.zenith_deg, solar_azimuth=sky.azimuth_deg)
    through = iam.marion_diffuse("physical", roof.tilt_deg)
    taken = (
        light["poa_direct"] * iam.physical(angle_deg)
        + light["poa_sky_diffuse"] * through["sky"]
        + light["poa_ground_diffuse"] * through["ground"]
    )
    cell_c = temperature.faiman(light["poa_global"], weather.air_c, wind_speed=WIND_M_PER_S)
    power_w: FloatArray = pvsystem.pvwatts_dc(taken, cell_c, roof.rating_w, plant.per_degree)
    return power_w
