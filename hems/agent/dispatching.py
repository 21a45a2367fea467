"""Dispatch policies on a gateway: the table ``[dispatch]``, and the controller it comes to."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

import numpy as np

from hems.controller import Controller
from hems.dispatch.by_clock import ByClock
from hems.dispatch.manual_file import read_manual
from hems.dispatch.policies import MONTHS, GridTarget, ManualDispatch
from hems.errors import AgentConfigError

GRID_TARGET: Final = "grid-target"
"""Marchi 2022's policy 3."""
MANUAL: Final = "manual"
"""Marchi 2022's policy 5."""
DISPATCH_CONTROLLERS: Final = (GRID_TARGET, MANUAL)
"""What ``[controller] kind`` may be where there is a table ``[dispatch]``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchSettings:
    """What a dispatch policy goes by: the table ``[dispatch]``.

    Raises
    ------
    ValueError
        If there is no such zone.
    """

    zone: str = "UTC"
    """Time zone of months, weekdays and hours."""
    charge_from_grid: bool = False
    """The grid may charge up to the target; a manual dispatch says so itself."""
    manual_file: Path | None = None
    """Periods of a manual dispatch; docs/dispatch.md shows one."""
    target_w: tuple[float, ...] = ()
    """Import to hold in each month, January first. [W]"""

    def __post_init__(self) -> None:
        if self.zone not in available_timezones():
            msg = f'zone is {self.zone!r}; give one such as "Europe/Rome"'
            raise ValueError(msg)

    def with_target(self, given: object, *, where: str) -> "DispatchSettings":
        """Return them with targets as TOML has them: a number for all months, or twelve.

        Raises
        ------
        AgentConfigError
            If they are none.
        """
        each = given if isinstance(given, list) else [given] * MONTHS
        numbers = [value for value in each if isinstance(value, int | float) and value >= 0]
        if len(each) != MONTHS or len(numbers) != MONTHS:
            msg = f"{where}: target_w is {given!r}; give a number of W, 0 or more, or twelve"
            raise AgentConfigError(msg)
        return replace(self, target_w=tuple(float(value) for value in numbers))


def dispatch_controller(
    kind: str, settings: DispatchSettings, *, utc: Callable[[], datetime], where: str
) -> Controller:
    """Return the controller of a policy.

    Parameters
    ----------
    kind : str
        One of `DISPATCH_CONTROLLERS`.
    settings : DispatchSettings
        What it goes by.
    utc : Callable[[], datetime]
        The time, aware.
    where : str
        What messages call the table.

    Raises
    ------
    AgentConfigError
        If what the policy needs was not given.
    ControlError
        If the file of periods cannot be used.
    """
    zone = ZoneInfo(settings.zone)
    policy: GridTarget | ManualDispatch
    if kind == GRID_TARGET:
        if not settings.target_w:
            msg = f"{where} has no target_w; give the import to hold, or twelve by month"
            raise AgentConfigError(msg)
        policy = GridTarget(target_w=np.array(settings.target_w))
    else:
        if settings.manual_file is None:
            msg = f"{where} has no manual_file; name one (docs/dispatch.md shows its form)"
            raise AgentConfigError(msg)
        policy = read_manual(settings.manual_file)
    return ByClock(
        policy=policy,
        local_time=lambda: utc().astimezone(zone),
        charge_from_grid=settings.charge_from_grid,
    )
