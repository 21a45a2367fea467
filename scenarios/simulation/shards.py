"""All shards of a fleet, wherever they are; here, in this process."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any, Final, Protocol

from devices.battery_bank import BatteryBank
from hems.controller import Controller
from scenarios.data.generate import BLOCK_HOMES
from scenarios.simulation.assigned import of_part
from scenarios.simulation.fleet import Fleet, Rules
from scenarios.simulation.home_day import Equipment
from scenarios.simulation.prepared_day import MinuteSource
from scenarios.simulation.recorders import Maker
from scenarios.simulation.shard import Shard, ShardHomes

SHARD_HOMES = 2_000
"""Homes of a shard at most, but for the last block: their arrays stay in the processor's cache."""


class Shards(Protocol):
    """Has every shard of a fleet do the same kind of thing."""

    @property
    def parts(self) -> Sequence[range]:
        """Return which homes live in each shard, in order."""
        ...

    def each(self, task: str, *arguments: Sequence[object]) -> list[Any]:
        """Let every shard do a task; return the answers in the order of the homes.

        Parameters
        ----------
        task : str
            Name of a method of `scenarios.simulation.shard.Shard`.
        *arguments : Sequence
            For each of its parameters, a value for each shard.
        """
        ...

    def one(self, number: int, task: str, *arguments: object) -> Any:  # noqa: ANN401 - any task's
        """Let one shard do a task; return its answer."""
        ...

    def close(self) -> None:
        """Let go of what they hold open."""
        ...


class Engine(Protocol):
    """Puts shards somewhere."""

    @property
    def workers(self) -> int:
        """Return how many shards there must be for every process to have one."""
        ...

    def __call__(self, homes: Sequence[ShardHomes]) -> Shards:
        """Put shards there.

        Parameters
        ----------
        homes : Sequence[ShardHomes]
            Who lives in each.
        """
        ...


class LocalShards:
    """See `Shards`; in this process, one after the other.

    Parameters
    ----------
    homes : Sequence[ShardHomes]
        Who lives in each.
    """

    def __init__(self, homes: Sequence[ShardHomes]) -> None:
        self._shards = [Shard(each) for each in homes]
        self.parts: Sequence[range] = [each.part for each in homes]
        """See `Shards`."""

    def each(self, task: str, *arguments: Sequence[object]) -> list[Any]:
        """See `Shards`."""
        given = zip(*arguments, strict=True) if arguments else ((),) * len(self._shards)
        return [
            getattr(shard, task)(*values) for shard, values in zip(self._shards, given, strict=True)
        ]

    def one(self, number: int, task: str, *arguments: object) -> Any:  # noqa: ANN401 - any task's
        """See `Shards`."""
        return getattr(self._shards[number], task)(*arguments)

    def close(self) -> None:
        """See `Shards`."""
        for shard in self._shards:
            shard.close()


@dataclass(frozen=True, slots=True)
class LocalEngine:
    """See `Engine`; in this process."""

    workers: int = 1
    """See `Engine`."""

    def __call__(self, homes: Sequence[ShardHomes]) -> Shards:
        """See `Engine`."""
        return LocalShards(homes)


LOCAL: Final = LocalEngine()
"""What a run uses unless it is told otherwise."""


def parts_of(homes: int, shards: int | None = None, *, workers: int = 1) -> list[range]:
    """Cut a fleet into shards of about the same size.

    Parameters
    ----------
    homes : int
        Size of the fleet.
    shards : int, optional
        How many, at most one a home; without, as many as `SHARD_HOMES` asks for.
    workers : int
        Without that, at least so many.

    Notes
    -----
    Cuts lie between the blocks that generated homes are drawn in, where there are enough of those:
    a block that two shards share is drawn twice.
    """
    count = min(shards or max(-(-homes // SHARD_HOMES), workers), homes)
    blocks = -(-homes // BLOCK_HOMES)
    unit, units = (BLOCK_HOMES, blocks) if blocks >= count else (1, homes)
    edges = [min(unit * (units * number // count), homes) for number in range(count + 1)]
    edges[-1] = homes
    return [range(first, end) for first, end in pairwise(edges)]


def shard_homes(
    parts: Sequence[range],
    *,
    fleet: Fleet,
    rules: Rules,
    controller: Controller,
    source: MinuteSource,
    recorders: Mapping[str, Maker],
) -> list[ShardHomes]:
    """Return who lives in each shard of a fleet, and how.

    Parameters
    ----------
    parts : Sequence[range]
        Consecutive homes, all of them.
    fleet, rules, controller, source, recorders
        What they have, how they go about it, and who keeps what of a day.
    """
    return [
        ShardHomes(
            part=part,
            equipment=Equipment(
                bank=_cut(fleet.bank, part),
                connection_w=fleet.connection_w[part.start : part.stop],
                rules=rules,
                controller=of_part(controller, part),
            ),
            source=source,
            recorders=recorders,
        )
        for part in parts
    ]


def _cut(bank: BatteryBank, part: range) -> BatteryBank:
    return BatteryBank(
        **{field.name: getattr(bank, field.name)[part.start : part.stop] for field in fields(bank)}
    )
