"""What the homes switch on, and how a program of phases becomes power by the minute."""

from dataclasses import dataclass

import numpy as np

from devices.arrays import FloatArray, IntArray

Range = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One stretch of a program: steady power, or a thermostat that switches it."""

    power_w: Range
    """Drawn once per use. [W]"""
    minutes: Range
    """Length, drawn once per use. [min]"""
    on_minutes: Range | None = None
    """Time that the thermostat holds it on; None: steady. [min]"""
    off_minutes: Range = (0.0, 0.0)
    """Time that the thermostat holds it off. [min]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Appliance:
    """Something that is switched on now and then."""

    name: str
    """For people."""
    owners: float
    """Share of the homes that have it."""
    uses_per_day: float
    """Mean uses on a day spent awake at home."""
    hours: str
    """A digit per local hour: how likely a use is then, against the other hours."""
    program: tuple[Phase, ...]
    """Phases in order."""
    awake: bool = True
    """Used only while somebody is awake at home."""

    def minute_chance(self) -> FloatArray:
        """Return the chance of a use starting in a minute of each local hour, shape (24,)."""
        weights = np.array([int(digit) for digit in self.hours], dtype=np.float64)
        return weights * float(self.uses_per_day / weights.sum() / 60)


# Powers and lengths are those of ordinary British appliances; uses and hours are set so that the
# homes together meet the statistics of docs/data.md.
APPLIANCES = (
    Appliance(
        name="kettle",
        owners=0.98,
        uses_per_day=9.0,
        hours="100012586544543344544321",
        program=(Phase(power_w=(2000, 3000), minutes=(1.5, 4.0)),),
    ),
    Appliance(
        name="toaster",
        owners=0.8,
        uses_per_day=0.8,
        hours="000001697422321112211000",
        program=(Phase(power_w=(800, 1100), minutes=(2.0, 4.0)),),
    ),
    Appliance(
        name="microwave",
        owners=0.9,
        uses_per_day=2.2,
        hours="000000243222432336764321",
        program=(Phase(power_w=(1100, 1500), minutes=(1.5, 6.0)),),
    ),
    Appliance(
        name="oven",
        owners=0.75,
        uses_per_day=1.2,
        hours="000000000012321347874310",
        program=(
            Phase(power_w=(2000, 2600), minutes=(6.0, 11.0)),
            Phase(
                power_w=(2000, 2600),
                minutes=(20.0, 50.0),
                on_minutes=(0.9, 2.0),
                off_minutes=(1.5, 4.5),
            ),
        ),
    ),
    Appliance(
        name="hob",
        owners=0.6,
        uses_per_day=1.7,
        hours="000000232223432446775320",
        program=(
            Phase(power_w=(1200, 2200), minutes=(4.0, 8.0)),
            Phase(
                power_w=(1200, 2200),
                minutes=(6.0, 20.0),
                on_minutes=(0.3, 1.0),
                off_minutes=(0.5, 1.5),
            ),
        ),
    ),
    Appliance(
        name="washing machine",
        owners=0.95,
        uses_per_day=1.1,
        hours="000000378876544444433200",
        program=(
            Phase(
                power_w=(60, 130), minutes=(4.0, 8.0), on_minutes=(0.3, 0.8), off_minutes=(0.1, 0.4)
            ),
            Phase(power_w=(1900, 2300), minutes=(12.0, 22.0)),
            Phase(
                power_w=(100, 260),
                minutes=(35.0, 70.0),
                on_minutes=(0.2, 0.6),
                off_minutes=(0.1, 0.4),
            ),
            Phase(power_w=(300, 550), minutes=(4.0, 9.0)),
        ),
    ),
    Appliance(
        name="tumble dryer",
        owners=0.45,
        uses_per_day=0.55,
        hours="000000024566665555544300",
        program=(
            Phase(power_w=(2000, 2600), minutes=(25.0, 60.0)),
            Phase(
                power_w=(2000, 2600),
                minutes=(5.0, 15.0),
                on_minutes=(1.0, 2.0),
                off_minutes=(1.0, 2.0),
            ),
        ),
    ),
    Appliance(
        name="dishwasher",
        owners=0.6,
        uses_per_day=1.0,
        hours="211000023532233334687643",
        program=(
            Phase(power_w=(40, 90), minutes=(5.0, 10.0)),
            Phase(power_w=(1800, 2200), minutes=(12.0, 20.0)),
            Phase(power_w=(50, 110), minutes=(25.0, 40.0)),
            Phase(power_w=(1800, 2200), minutes=(8.0, 15.0)),
        ),
    ),
    Appliance(
        name="electric shower",
        owners=0.3,
        uses_per_day=1.6,
        hours="000013996421111122333210",
        program=(Phase(power_w=(7000, 9500), minutes=(4.0, 9.0)),),
    ),
    Appliance(
        name="iron, hair dryer, vacuum cleaner",
        owners=1.0,
        uses_per_day=1.5,
        hours="000001476555433334443210",
        program=(Phase(power_w=(700, 2000), minutes=(3.0, 14.0)),),
    ),
    Appliance(
        name="immersion heater",
        owners=0.12,
        uses_per_day=1.1,
        hours="011124731000000113311000",
        program=(Phase(power_w=(2700, 3000), minutes=(25.0, 70.0)),),
        awake=False,
    ),
    Appliance(
        name="lamp",
        owners=1.0,
        uses_per_day=9.0,
        hours="100002664222222346899964",
        program=(Phase(power_w=(8, 70), minutes=(8.0, 120.0)),),
    ),
)

SCREEN = Appliance(
    name="screen",
    owners=1.0,
    uses_per_day=4.6,
    hours="110002344444444566776642",
    program=(Phase(power_w=(50, 190), minutes=(25.0, 180.0)),),
)
"""Television and computer: what they take moves by the minute, unlike the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulses:
    """Stretches of constant power; every field has shape (pulses,)."""

    home: IntArray
    """Row of the home."""
    start: FloatArray
    """Beginning, in minutes since the first."""
    end: FloatArray
    """End, in minutes since the first."""
    power_w: FloatArray
    """[W]"""


def run_program(
    program: tuple[Phase, ...], home: IntArray, start: FloatArray, rng: np.random.Generator
) -> list[Pulses]:
    """Return the pulses of uses of one appliance.

    Parameters
    ----------
    program : tuple[Phase, ...]
        Phases in order.
    home : IntArray, shape (uses,)
        Row of the home, ascending, so that a home's draws do not depend on later homes.
    start : FloatArray, shape (uses,)
        Beginning. [min]
    rng : np.random.Generator
        Stream of this appliance and day; four numbers are drawn per use and phase.
    """
    draws = rng.random((home.size, len(program), 4))
    pulses = []
    for number, phase in enumerate(program):
        share = draws[:, number].T
        power_w = _between(phase.power_w, share[0])
        end = start + _between(phase.minutes, share[1])
        if phase.on_minutes is None:
            pulses.append(Pulses(home=home, start=start, end=end, power_w=power_w))
        else:
            on = _between(phase.on_minutes, share[2])
            period = on + _between(phase.off_minutes, share[3])
            whole = Pulses(home=home, start=start, end=end, power_w=power_w)
            pulses.extend(_switched(whole, on, period))
        start = end
    return pulses


def _between(limits: Range, share: FloatArray) -> FloatArray:
    """Return a value inside limits for each share of 0..1."""
    return limits[0] + (limits[1] - limits[0]) * share


def _switched(whole: Pulses, on: FloatArray, period: FloatArray) -> list[Pulses]:
    """Return what a thermostat leaves of pulses: ``on`` minutes out of each ``period``."""
    pulses = []
    start = whole.start
    while (going := start < whole.end).any():
        pulses.append(
            Pulses(
                home=whole.home[going],
                start=start[going],
                end=np.minimum(start + on, whole.end)[going],
                power_w=whole.power_w[going],
            )
        )
        start = start + period
    return pulses


def add_pulses(pulses: list[Pulses], *, homes: int, minutes: int) -> FloatArray:
    """Return the mean power of pulses in every minute, shape (homes, minutes). [W]

    Notes
    -----
    A step of P at minute k + f adds P·(1 − f) to the mean of minute k and P to all later ones.
    """
    change_w = np.zeros((homes, minutes + 1))
    if pulses:
        home = np.concatenate([p.home for p in pulses])
        power_w = np.concatenate([p.power_w for p in pulses])
        for name, sign in (("start", 1.0), ("end", -1.0)):
            time = np.clip(np.concatenate([getattr(p, name) for p in pulses]), 0.0, minutes)
            minute = np.minimum(time.astype(np.int64), minutes - 1)
            later = time - minute
            np.add.at(change_w, (home, minute), sign * power_w * (1 - later))
            np.add.at(change_w, (home, minute + 1), sign * power_w * later)
    return np.cumsum(change_w, axis=1)[:, :minutes]
