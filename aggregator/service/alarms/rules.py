"""What is an alarm, as data: a measure, a threshold, and the value at which it is over."""

from dataclasses import dataclass
from typing import Final, Literal

from aggregator.service.alarms.settings import AlarmSettings

Severity = Literal["critical", "warning"]
"""How bad it is."""
MISSED: Final = "missed"
"""Measure: part of an interval's commitment that was not delivered."""
LEDGER: Final = "ledger"
"""Measure: how far the ledger is behind. [s]"""
BROKER: Final = "broker"
"""Measure: for how long the broker is away. [s]"""
STORE: Final = "store"
"""Measure: how far roll-ups are behind. [s]"""
CHANNEL: Final = "channel"
"""Measure: for how long e-mail or webhook took nothing. [s]"""
TEMPERATURE: Final = "temperature"
"""Measure: a battery's temperature. [°C]"""
SOC: Final = "soc"
"""Measure: how far the state of charge is outside of its window, 0..1."""
SILENT: Final = "silent"
"""Measure: how long ago something came. [s]"""
METER: Final = "meter"
"""Measure: by how much the powers of a home do not add up. [W]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One kind of alarm; its kind is the name of what it measures."""

    kind: str
    """Its name."""
    severity: Severity
    """How bad it is."""
    above: float
    """A value above this raises it."""
    clear: float
    """At this or less it is over, no more than ``above``."""
    held_s: float = 0.0
    """For how long the value has to be above. [s]"""
    line: str
    """What is wrong, with ``{value}`` and ``{limit}``."""


def rules_of(settings: AlarmSettings) -> tuple[Rule, ...]:
    """Return the rules with an operator's thresholds.

    Parameters
    ----------
    settings : AlarmSettings
        The thresholds.
    """
    return (*_of_homes(settings), *_of_the_fleet(settings))


def _of_homes(settings: AlarmSettings) -> tuple[Rule, ...]:
    return (
        Rule(
            kind=TEMPERATURE,
            severity="critical",
            above=settings.temperature_most_c,
            clear=settings.temperature_clear_c,
            line="the battery has {value:.1f} °C, more than {limit:g} °C",
        ),
        Rule(
            kind=SOC,
            severity="warning",
            above=settings.soc_margin,
            clear=settings.soc_margin / 2,  # batteries rest beside an end of their window
            held_s=settings.soc_held_s,
            line="the state of charge is {value:.1%} outside of its window",
        ),
        Rule(
            kind=SILENT,
            severity="warning",
            above=settings.silent_s,
            clear=settings.silent_s / 2,
            line="nothing came from the gateway for {value:.0f} s, more than {limit:g} s",
        ),
        Rule(
            kind=METER,
            severity="warning",
            above=settings.meter_gap_w,
            clear=settings.meter_gap_clear_w,
            held_s=settings.meter_held_s,
            line="the meter's powers miss {value:.0f} W, more than {limit:g} W",
        ),
    )


def _of_the_fleet(settings: AlarmSettings) -> tuple[Rule, ...]:
    return (
        Rule(
            kind=MISSED,
            severity="critical",
            above=settings.missed_share,
            clear=settings.missed_share / 2,
            line="{value:.0%} of an interval's commitment was not delivered",
        ),
        Rule(
            kind=LEDGER,
            severity="critical",
            above=settings.ledger_behind_s,
            clear=settings.ledger_behind_s / 2,
            line="the ledger is {value:.0f} s behind, more than {limit:g} s",
        ),
        Rule(
            kind=BROKER,
            severity="critical",
            above=settings.broker_lost_s,
            clear=0.0,
            line="the broker is away for {value:.0f} s, more than {limit:g} s",
        ),
        Rule(
            kind=STORE,
            severity="warning",
            above=settings.store_behind_s,
            clear=settings.store_behind_s / 2,
            line="roll-ups are {value:.0f} s behind, more than {limit:g} s",
        ),
        Rule(
            kind=CHANNEL,
            severity="critical",
            above=settings.channel_lost_s,
            clear=0.0,
            line="alarms are not told for {value:.0f} s, more than {limit:g} s",
        ),
    )
