"""What a gateway has to know of its meter to go on after a kill."""

from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class MeterRecord:
    """Where the metering stands."""

    identity: int = 0
    """Drawn when the state file was made: slots of another one, which is gone, do not count."""
    generation: int = 0
    """How often it was written: of two that are found, the later one counts."""
    total_wh: float = 0.0
    """Net export since the gateway began. [Wh]"""
    since_wh: float = 0.0
    """Part of it that power has added since the counters last moved. [Wh]"""
    anchor_age_s: float = 0.0
    """How long ago they did. [s]"""
    unmetered_s: float = 0.0
    """Time of which nothing is known. [s]"""
    power_w: float = 0.0
    """Net export as last read. [W]"""
    import_wh: float | None = None
    """The meter's counters as they last moved; None without. [Wh]"""
    export_wh: float | None = None
    """Likewise. [Wh]"""
    utc_s: float | None = None
    """Time of the last reading. [s since 1970]"""
    interval: int | None = None
    """Number of the market interval it was in."""
    soc_bp: int | None = None
    """State of charge as last read. [bp]"""
