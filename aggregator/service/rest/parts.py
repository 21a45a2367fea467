"""What the REST interface is made of; whoever serves puts it together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, Request

from aggregator.service.ingest.counts import Counts
from aggregator.service.registry.registry import Registry
from aggregator.service.registry.tokens import TokenBook
from aggregator.service.rest.access import Principal
from aggregator.service.rest.alarms import AlarmDesk
from aggregator.service.rest.day import DayView
from aggregator.service.rest.fleet import FleetView
from aggregator.service.rest.hub import EventHub
from aggregator.service.rest.limiter import RateLimits
from aggregator.service.rest.metrics import Metrics
from aggregator.service.rest.orders import Orders
from aggregator.service.rest.series import SeriesReader
from aggregator.service.store.store import Store


class Check(Protocol):
    """Looks whether a part of the service works; may take a while."""

    def __call__(self) -> None:
        """Return if it works, else raise `ServiceError` or `LedgerError`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestParts:
    """What requests are answered from."""

    store: Store
    """The database."""
    clock_ms: Callable[[], int]
    """The time, in UTC. [ms]"""
    hub: EventHub
    """Live values."""
    checks: Mapping[str, Check]
    """What readiness looks at, by its name: ``store``, ``broker``, ``chain``."""
    day: DayView
    """A market day of the fleet."""
    orders: Orders | None = None
    """Takes commands; without it they are answered with 503."""
    alarms: AlarmDesk | None = None
    """Takes what operators say of alarms; without it that is answered with 503."""
    counts: Callable[[], Counts] | None = None
    """Returns what the ingest of this process has counted."""
    limits: RateLimits = field(default_factory=RateLimits)
    """How often somebody may ask."""
    metrics: Metrics = field(default_factory=Metrics)
    """What is counted."""
    news: tuple[Callable[[], None], ...] = ()
    """Looks of other parts, about once a second, each of which tells the hub what changed."""
    routers: tuple[APIRouter, ...] = ()
    """More routes, made by `aggregator.service.rest.guard.guarded_router`."""
    fleet: FleetView = field(init=False)
    """The fleet as it is now."""
    registry: Registry = field(init=False)
    """What is configured."""
    series: SeriesReader = field(init=False)
    """What was measured."""
    tokens: TokenBook = field(init=False)
    """Who may ask."""

    def __post_init__(self) -> None:
        for name, made in (
            ("fleet", FleetView(self.store)),
            ("registry", Registry(self.store)),
            ("series", SeriesReader(self.store)),
            ("tokens", TokenBook(self.store)),
        ):
            object.__setattr__(self, name, made)


async def _parts(request: Request) -> RestParts:
    parts: RestParts = request.app.state.parts
    return parts


async def _principal(request: Request) -> Principal | None:
    principal: Principal | None = request.state.principal
    return principal


Parts = Annotated[RestParts, Depends(_parts)]
"""A route's parameter: what it answers from."""
Asker = Annotated[Principal, Depends(_principal)]
"""A route's parameter: who asks; for routes that are not public."""
