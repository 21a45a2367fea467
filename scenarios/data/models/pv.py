"""Generated PV: a clear sky, a cloud cover that the region shares, and clouds over every roof."""

from dataclasses import dataclass

import numpy as np

from contracts.timegrid import TimeGrid
from devices.arrays import FloatArray
from scenarios.data.fleet_data import PV_RATING_RANGE_W
from scenarios.data.models.streams import Kind, UtcDays, daily_normals, remembered, stream
from scenarios.data.models.sun import clear_sky_per_unit, panel_vector, sun_vector

MEMORY_DAYS = 6
"""Days of weather before the span that its cloud cover still depends on."""
FRONT_H = 22.0
"""Decay of the cloud cover of the region. [h]"""
CLOUD_MINUTES = 15.0
"""Decay of the clouds over one roof. [min]"""
CLOUD_MEMORY_MINUTES = 90
"""Minutes before the span that the clouds still depend on. [min]"""
COVER_MEAN, COVER_SPREAD = 0.28, 1.15
"""Level and spread of the region's cover, in standard deviations of the clouds over a roof."""
EDGE = 0.55
"""How much a cloud's edge is spread, in the same unit: small edges make large steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratedPv:
    """PV of the homes and of the plant, over rating."""

    homes: FloatArray
    """Shape (homes, minutes), 0..1."""
    plant: FloatArray
    """Shape (minutes,), 0..1."""
    rating_w: FloatArray
    """Rating of each home, shape (homes,). [W]"""


def generated_pv(
    seed: int, homes: int, grid: TimeGrid, *, weather_seed: int | None = None
) -> GeneratedPv:
    """Return the PV of a fleet on a grid of minutes; row 0 of every draw is the plant's.

    The region's weather is that of ``weather_seed``, without one that of ``seed``.
    """
    panels = homes + 1
    bell = stream(seed, Kind.PANEL, 0).standard_normal((panels, 3)).T
    low_w, high_w = PV_RATING_RANGE_W
    rating_w = stream(seed, Kind.PANEL, 1).uniform(low_w, high_w, size=homes)
    panel = panel_vector(tilt_deg=np.clip(35 + 7 * bell[0], 10, 60), azimuth_deg=180 + 45 * bell[1])
    direct, diffuse = clear_sky_per_unit(panel, sun_vector(grid))
    cover = cloud_cover(seed if weather_seed is None else weather_seed, grid)
    sunlit = sunlit_share(seed, panels, cover, grid)
    # Clouds send some of the light they take from the beam on as diffuse light; thick ones keep it.
    sky = diffuse * (1 + 1.1 * (1 - sunlit)) * (1 - 0.75 * _rise(cover - 1.5, 2.0))
    system = np.clip(1.0 - 0.05 * np.abs(bell[2]), 0.7, 1.0)[:, None]
    output = np.clip(system * (direct * sunlit + sky), 0.0, 1.0)
    return GeneratedPv(homes=output[1:], plant=output[0], rating_w=rating_w)


def cloud_cover(seed: int, grid: TimeGrid) -> FloatArray:
    """Return the cloud cover that the region shares, shape (slots,), > 0 is more cloud than sun."""
    # Hours are joined by straight lines: the last one leans on the next day's first.
    days = UtcDays.around(grid, memory_days=MEMORY_DAYS, ahead_days=1)
    normals = daily_normals(seed, Kind.SKY, days, per_day=24)[0]
    hours = remembered(normals, decay_steps=FRONT_H, memory_steps=24 * (MEMORY_DAYS - 1))
    slot_h = np.arange(days.grid(grid.step_s).count) * grid.step_h
    level = COVER_MEAN + COVER_SPREAD * np.interp(slot_h, np.arange(hours.size), hours)
    return days.cut(level, grid)


def sunlit_share(seed: int, panels: int, cover: FloatArray, grid: TimeGrid) -> FloatArray:
    """Return the share of the beam that reaches each panel, shape (panels, minutes), 0..1.

    Notes
    -----
    A cloud hides the sun where a roof's own process is below the region's cover. Thick cover lets a
    smaller share through.
    """
    days = UtcDays.around(grid, memory_days=1)
    normals = daily_normals(seed, Kind.CLOUD, days, per_day=1440, rows=panels)
    own = remembered(normals, decay_steps=CLOUD_MINUTES, memory_steps=CLOUD_MEMORY_MINUTES)
    clear = np.clip((days.cut(own, grid) - cover) / EDGE + 0.5, 0.0, 1.0)
    through = 0.45 * _rise(0.2 - cover, 1.6)
    return through + (1 - through) * clear


def _rise(x: FloatArray, steepness: float) -> FloatArray:
    """Return the logistic curve from 0 to 1."""
    return 1 / (1 + np.exp(-steepness * x))
