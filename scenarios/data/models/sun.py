"""Where the sun stands, and what a panel gives under a clear sky."""

import numpy as np

from contracts.timegrid import TimeGrid
from devices.arrays import FloatArray
from scenarios.data.models.clock import year_angle

LATITUDE_DEG = 52.0
LONGITUDE_DEG = -1.0
SOLAR_CONSTANT_W_PER_M2 = 1_353.0
PERFORMANCE = 0.88
"""Share of a rating that a panel gives at 1000 W/m², after heat, wires and inverter."""
DIFFUSE_SHARE = 0.14
"""Diffuse irradiance under a clear sky, of the direct normal one."""


def sun_vector(grid: TimeGrid) -> FloatArray:
    """Return the direction of the sun as (east, north, up), shape (3, slots).

    Notes
    -----
    Declination and equation of time after Spencer (1971), as series of the day angle; good to a
    quarter of a degree and a minute.
    """
    gamma = year_angle(grid)
    seconds = grid.start.hour * 3600 + grid.start.minute * 60 + grid.step_s * np.arange(grid.count)
    declination = (
        0.006918
        - 0.399912 * np.cos(gamma)
        + 0.070257 * np.sin(gamma)
        - 0.006758 * np.cos(2 * gamma)
        + 0.000907 * np.sin(2 * gamma)
    )
    equation_h = (24 / (2 * np.pi)) * (
        0.000075
        + 0.001868 * np.cos(gamma)
        - 0.032077 * np.sin(gamma)
        - 0.014615 * np.cos(2 * gamma)
        - 0.040849 * np.sin(2 * gamma)
    )
    middle_h = (seconds + grid.step_s / 2) / 3600
    solar_h = middle_h + LONGITUDE_DEG / 15 + equation_h
    hour_angle = 2 * np.pi * (solar_h - 12) / 24
    latitude = np.radians(LATITUDE_DEG)
    return np.stack(
        [
            -np.cos(declination) * np.sin(hour_angle),
            np.cos(latitude) * np.sin(declination)
            - np.sin(latitude) * np.cos(declination) * np.cos(hour_angle),
            np.sin(latitude) * np.sin(declination)
            + np.cos(latitude) * np.cos(declination) * np.cos(hour_angle),
        ]
    )


def panel_vector(tilt_deg: FloatArray, azimuth_deg: FloatArray) -> FloatArray:
    """Return what panels look at as (east, north, up), shape (panels, 3); azimuth 180 is south."""
    tilt, azimuth = np.radians(tilt_deg), np.radians(azimuth_deg)
    return np.stack(
        [np.sin(tilt) * np.sin(azimuth), np.sin(tilt) * np.cos(azimuth), np.cos(tilt)], axis=1
    )


def clear_sky_per_unit(panel: FloatArray, sun: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return direct and diffuse output over rating under a clear sky, each (panels, slots).

    Notes
    -----
    Direct normal irradiance 1353 · 0.7^(AM^0.678) W/m² (Meinel and Meinel, 1976), the air mass AM
    after Kasten and Young (1989).
    """
    up = sun[2]
    elevation_deg = np.degrees(np.arcsin(np.clip(up, -1.0, 1.0)))
    visible = elevation_deg > 0
    above_deg = np.maximum(elevation_deg, 0.0)
    air_mass = 1 / (np.sin(np.radians(above_deg)) + 0.50572 * (above_deg + 6.07995) ** -1.6364)
    direct_w_per_m2 = np.where(visible, SOLAR_CONSTANT_W_PER_M2 * 0.7 ** (air_mass**0.678), 0.0)
    facing = np.maximum(panel @ sun, 0.0)
    direct = PERFORMANCE * facing * direct_w_per_m2 / 1000.0
    seen_sky = (1 + panel[:, 2:]) / 2
    diffuse = PERFORMANCE * seen_sky * DIFFUSE_SHARE * direct_w_per_m2 / 1000.0
    return direct, np.broadcast_to(diffuse, direct.shape)
