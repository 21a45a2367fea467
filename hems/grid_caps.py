"""What the grid lets a home import and export just now, from its frequency and voltage.

An inverter has a protection of its own, which switches off. This keeps the home from getting there,
and its plans from counting on power that the grid will not take.
"""

import math
from dataclasses import dataclass
from typing import Final

from hems.errors import ControlInputError

WHOLE: Final = 1.0
"""A share of 1: nothing is held back."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Allowed share of a rating over a reading: straight between points, flat beyond the ends.

    Two points at the same reading are a step; at the reading itself the left one still holds.
    """

    points: tuple[tuple[float, float], ...]
    """Readings, not falling, and shares 0..1."""

    @classmethod
    def read(cls, text: str) -> "Curve":
        """Return the curve that ``50.2:1 50.2:0`` describes.

        Raises
        ------
        ControlInputError
            If it is none.
        """
        try:
            pairs = [point.split(":") for point in text.split()]
            points = tuple((float(at), float(share)) for at, share in pairs)
        except ValueError as error:
            msg = f"curve {text!r} is none; write reading:share pairs, such as '50.2:1 50.2:0'"
            raise ControlInputError(msg) from error
        readings, shares = [at for at, _ in points], [share for _, share in points]
        if not points or readings != sorted(readings) or not all(map(math.isfinite, readings)):
            msg = f"curve {text!r}: give readings that do not fall, such as '50.2:1 50.2:0'"
            raise ControlInputError(msg)
        if not all(0 <= share <= 1 for share in shares):
            msg = f"curve {text!r}: a share is not in 0..1; 0 allows nothing, 1 all"
            raise ControlInputError(msg)
        return cls(points)

    def share(self, reading: float) -> float:
        """Return the share at a reading."""
        before = self.points[0]
        if reading <= before[0]:
            return before[1]
        for at, share in self.points[1:]:
            if reading <= at:
                return before[1] + (share - before[1]) * (reading - before[0]) / (at - before[0])
            before = (at, share)
        return before[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class GridCapSettings:
    """The table ``[grid]``: ratings of the connection, and how they shrink in a strained grid.

    Raises
    ------
    ControlInputError
        If a value is out of its range or a curve is none.

    Notes
    -----
    Couraud 2021: no export above 50.2 Hz or above 230 V + 10 %. The curves of import, the pace of
    the return and the waits are this project's; what a grid operator demands goes before them.
    """

    import_max_w: float
    """The connection's rating for import, >= 0. [W]"""
    export_max_w: float
    """Its rating for export, >= 0; 0 where feeding in is not allowed. [W]"""
    pv_max_w: float | None = None
    """Rating of the panels behind it, > 0, which samples are held against; None where it is not
    known. [W]"""
    export_by_hz: str = "50.2:1 50.2:0"
    """Share of export allowed at a frequency, as points ``Hz:share``."""
    export_by_v: str = "253:1 253:0"
    """Share of export allowed at the highest of the phases' voltages, as points ``V:share``."""
    import_by_hz: str = "49.0:0 49.8:1"
    """Share of import allowed at a frequency."""
    import_by_v: str = "207:0 216:1"
    """Share of import allowed at the lowest of the phases' voltages."""
    nominal_hz: float = 50.0
    """Frequency of the grid; a reading more than a tenth off it is none, > 0. [Hz]"""
    nominal_v: float = 230.0
    """Line to neutral; a reading more than half off it, such as of a phase that is not wired, is
    none, > 0. [V]"""
    return_s: float = 60.0
    """For how long a better reading must have lasted before a cap rises, >= 0. [s]"""
    rise_per_minute: float = 0.1
    """How much of the rating a cap then rises by per minute, > 0."""
    known_s: float = 300.0
    """For how long the last reading stands for one that fails to come, >= 0. [s]"""
    blind_share: float = 1.0
    """Share allowed where nothing has been read for longer than that, 0..1."""

    def __post_init__(self) -> None:
        _require_rating("pv_max_w", self.pv_max_w)
        for name in ("import_max_w", "export_max_w", "return_s", "known_s", "blind_share"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                msg = f"{name} is {value:g}; give a number >= 0"
                raise ControlInputError(msg)
        for name in ("nominal_hz", "nominal_v", "rise_per_minute"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                msg = f"{name} is {value:g}; give a number > 0"
                raise ControlInputError(msg)
        if self.blind_share > 1:
            msg = f"blind_share is {self.blind_share:g}; give a share in 0..1"
            raise ControlInputError(msg)
        for name in ("export_by_hz", "export_by_v", "import_by_hz", "import_by_v"):
            try:
                Curve.read(getattr(self, name))
            except ControlInputError as error:
                msg = f"{name}: {error}"
                raise ControlInputError(msg) from error


def _require_rating(name: str, value: float | None) -> None:
    if value is not None and not 0 < value < math.inf:
        msg = f"{name} is {value:g}; give a rating > 0 or leave it out"
        raise ControlInputError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class GridCap:
    """What the connection may carry."""

    import_max_w: float
    """Greatest import. [W]"""
    export_max_w: float
    """Greatest export. [W]"""


@dataclass(slots=True)
class _Watched:
    """One curve on one reading, with its memory."""

    curve: Curve
    settings: GridCapSettings
    allowed: float = WHOLE
    """Share that holds now."""
    _lately: float | None = None
    """Share of the last reading that came."""
    _seen_s: float = 0.0
    """When that was. [s]"""
    _worst_s: float = -math.inf
    """When a reading last asked for what holds now, or for less. [s]"""

    def at(self, now_s: float, reading: float | None, passed_s: float) -> float:
        """Return the share allowed after a reading, or after one that did not come."""
        if reading is not None:
            self._lately, self._seen_s = self.curve.share(reading), now_s
        target = self._target(now_s)
        if target <= self.allowed:
            self.allowed, self._worst_s = target, now_s
            return self.allowed
        risen_s = min(passed_s, now_s - self._worst_s - self.settings.return_s)
        if risen_s > 0:
            rise = risen_s * self.settings.rise_per_minute / 60
            self.allowed = min(self.allowed + rise, target)
        return self.allowed

    def _target(self, now_s: float) -> float:
        if self._lately is None:
            return self.settings.blind_share
        if now_s - self._seen_s > self.settings.known_s:
            return self.settings.blind_share
        return self._lately


class GridCaps:
    """Turn readings of the grid into caps that fall at once and come back slowly.

    Parameters
    ----------
    settings : GridCapSettings
        Ratings, curves and waits.

    Notes
    -----
    A cap falls with the reading that asks for it, and each reading that asks for as little as holds
    now begins the wait anew. So a home whose own export lifts the voltage over the limit does not
    switch on and off: it tries again once in `GridCapSettings.return_s` at the most, and with a
    slowly growing power.

    A reading that fails to come stands as it was for `GridCapSettings.known_s`: the grid that was
    strained is taken to be still. After that the home is blind and goes, slowly, to
    `GridCapSettings.blind_share`, by default the whole rating: many devices tell neither frequency
    nor voltage, and the inverter's own protection goes on. Who wants to be strict sets 0.
    """

    def __init__(self, settings: GridCapSettings) -> None:
        self._settings = settings
        self._export_hz, self._export_v, self._import_hz, self._import_v = (
            _Watched(Curve.read(text), settings)
            for text in (
                settings.export_by_hz,
                settings.export_by_v,
                settings.import_by_hz,
                settings.import_by_v,
            )
        )
        self._before_s: float | None = None

    def at(
        self, now_s: float, frequency_hz: float | None, phase_voltages_v: tuple[float, ...]
    ) -> GridCap:
        """Return what is allowed from now on.

        Parameters
        ----------
        now_s : float
            The clock that does not jump. [s]
        frequency_hz : float or None
            Frequency at the connection; None where it was not read. [Hz]
        phase_voltages_v : tuple of float
            Line to neutral, one per phase; empty where it was not read. The highest counts for
            export, the lowest for import. [V]
        """
        passed_s = 0.0 if self._before_s is None else max(now_s - self._before_s, 0.0)
        self._before_s = now_s
        nominal_hz, nominal_v = self._settings.nominal_hz, self._settings.nominal_v
        known = frequency_hz is not None and abs(frequency_hz / nominal_hz - 1) <= 0.1
        hz = frequency_hz if known else None
        volts = [v for v in phase_voltages_v if abs(v / nominal_v - 1) <= 0.5]
        high_v, low_v = (max(volts), min(volts)) if volts else (None, None)
        export = min(
            self._export_hz.at(now_s, hz, passed_s), self._export_v.at(now_s, high_v, passed_s)
        )
        imported = min(
            self._import_hz.at(now_s, hz, passed_s), self._import_v.at(now_s, low_v, passed_s)
        )
        return GridCap(
            import_max_w=self._settings.import_max_w * imported,
            export_max_w=self._settings.export_max_w * export,
        )
