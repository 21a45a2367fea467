"""Which of a home's devices tell something that can be used, and for how long they have not."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from devices.battery import BatteryState, MeterState
from devices.clock import Clock
from hems.agent.health import Health
from hems.agent.reading import Reading
from hems.agent.steering.equipment import Answers
from hems.agent.steering.steer import LOST_S

PARTS: Final = ("meter", "battery")
"""What a gateway cannot do without."""


class Senses:
    """Tell once when a device has given nothing usable for a while, and once when it does again.

    Parameters
    ----------
    clock : Clock
        The time.
    health : Health
        Is told.
    also : Sequence[str]
        Parts of a reading that this home has besides: ``pv``, ``load``, ``relay``.
    """

    def __init__(self, *, clock: Clock, health: Health, also: Sequence[str] = ()) -> None:
        self._parts = (*PARTS, *also)
        self._clock = clock
        self._health = health
        self._good_s: dict[str, float] = {}
        self._why: dict[str, str] = {}
        self.last: Reading | None = None
        """The last reading, without what was rejected."""
        self.meter: MeterState | None = None
        """The meter, unless it is lost."""
        self.battery: BatteryState | None = None
        """The battery, unless it is lost."""
        self.rejected: Counter[str] = Counter()
        """Samples that were rejected since the start, by part."""

    def heard(self, reading: Reading, errors: Answers, reasons: Mapping[str, str]) -> None:
        """Take up a reading, why parts are missing, and why parts were rejected."""
        self.last = reading
        self.rejected.update(reasons.keys())
        for part in self._parts:
            self._good_s.setdefault(part, self._clock.monotonic_s())
            if getattr(reading, part) is not None:
                self._keep(part, getattr(reading, part))
                self._good_s[part] = self._clock.monotonic_s()
                self._why.pop(part, None)
                self._health.back(part)
                continue
            if part in errors:
                self._why[part] = str(errors[part])
            elif part in reasons:
                self._why[part] = f"its readings are rejected: {reasons[part]}"
            silent_s = self._clock.monotonic_s() - self._good_s[part]
            if silent_s > LOST_S:
                self._keep(part, None)
                hangs = f"no answer for {silent_s:.0f} s; see whether it hangs"
                self._health.lost(part, self._why.get(part, hangs))

    def _keep(self, part: str, told: object) -> None:
        """Keep what decisions go by."""
        if part in PARTS:
            setattr(self, part, told)
