"""What Prometheus reads: requests as they are answered, and what the store counts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection, func, select

from aggregator.service.ingest.counts import Counts
from aggregator.service.rest.hub import EventHub
from aggregator.service.store.store import Store
from aggregator.service.store.tables import alarms, commands, homes, homes_now, refusals

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE"})


def _registry() -> CollectorRegistry:
    return CollectorRegistry(auto_describe=False)


@dataclass(slots=True)
class Metrics:
    """Counts requests; other parts register their own collectors."""

    registry: CollectorRegistry = field(default_factory=_registry)
    """Where parts register."""
    requests: Counter = field(init=False)
    """Answered requests."""
    seconds: Histogram = field(init=False)
    """How long they took until the answer's head."""

    def __post_init__(self) -> None:
        self.requests = Counter(
            "gridpact_requests",
            "Answered requests.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "gridpact_request_seconds",
            "Time until the answer's head.",
            ("route",),
            buckets=_SECONDS,
            registry=self.registry,
        )

    def answered(self, method: str, route: str, status: int, took_s: float) -> None:
        """Count a request.

        Parameters
        ----------
        method : str
            As it came; one that no route has is counted as ``other``.
        route : str
            The route's path with its parameters' names.
        status : int
            The answer's.
        took_s : float
            Until the answer's head. [s]
        """
        known = method if method in _METHODS else "other"
        self.requests.labels(known, route, str(status)).inc()
        self.seconds.labels(route).observe(took_s)


@dataclass(slots=True, eq=False)
class StoreCollector(Collector):
    """Reads counts out of the store when they are asked for."""

    store: Store
    """The database."""
    hub: EventHub
    """Who watches."""

    def collect(self) -> Iterator[Metric]:
        """Yield what is counted now."""
        watching = GaugeMetricFamily("gridpact_watchers", "Clients of live values.")
        watching.add_metric((), self.hub.watching)
        yield watching
        let_go = CounterMetricFamily("gridpact_watchers_dropped", "Clients that read too slowly.")
        let_go.add_metric((), self.hub.let_go)
        yield let_go
        with self.store.read() as connection:
            yield from _of_homes(connection)
            yield _refused(connection)
            yield _by_state(connection)
            yield _alarms(connection)


@dataclass(slots=True, eq=False)
class IngestCollector(Collector):
    """Reads what the ingest of this process counts."""

    counts: Callable[[], Counts]
    """Returns its totals."""

    def collect(self) -> Iterator[Metric]:
        """Yield what is counted now."""
        now = self.counts()
        for name, line, total in (
            ("gridpact_ingest_messages", "Messages taken or refused.", now.messages),
            ("gridpact_ingest_rows", "Rows that came new into the store.", now.rows),
            ("gridpact_ingest_rows_repeated", "Rows that were there already.", now.repeated),
            ("gridpact_ingest_batches", "Transactions.", now.batches),
            ("gridpact_ingest_failures", "Transactions that were tried again.", now.failures),
        ):
            counter = CounterMetricFamily(name, line)
            counter.add_metric((), total)
            yield counter
        yield _gauge("gridpact_ingest_waiting", "Messages that wait.", now.waiting)
        line = "How long the last transaction took."
        yield _gauge("gridpact_ingest_commit_seconds", line, now.commit_s)
        yield _gauge("gridpact_ingest_connected", "Whether the broker is there.", now.connected)


def _of_homes(connection: Connection) -> Iterator[Metric]:
    known, latest_ms = connection.execute(
        select(func.count(homes.c.number), func.max(homes_now.c.heard_ms)).select_from(
            homes.outerjoin(homes_now, homes_now.c.home_number == homes.c.number)
        )
    ).one()
    online_query = select(func.count()).select_from(homes_now).where(homes_now.c.online.is_(True))
    online = connection.scalar(online_query)
    yield _gauge("gridpact_homes", "Homes that are known.", known)
    yield _gauge("gridpact_homes_online", "Gateways that said they are online.", online or 0)
    if latest_ms is not None:
        line = "When the latest telemetry was committed, Unix time."
        yield _gauge("gridpact_telemetry_committed_seconds", line, latest_ms / 1000)


def _gauge(name: str, line: str, value: float) -> Metric:
    gauge = GaugeMetricFamily(name, line)
    gauge.add_metric((), value)
    return gauge


def _refused(connection: Connection) -> Metric:
    query = select(refusals.c.reason, func.sum(refusals.c.count)).group_by(refusals.c.reason)
    counted = CounterMetricFamily(
        "gridpact_messages_refused", "Messages that were refused.", labels=("reason",)
    )
    for reason, count in connection.execute(query):
        counted.add_metric((reason,), int(count))
    return counted


def _by_state(connection: Connection) -> Metric:
    query = select(commands.c.state, func.count()).group_by(commands.c.state)
    counted = GaugeMetricFamily("gridpact_commands", "Commands by state.", labels=("state",))
    for state, count in connection.execute(query):
        counted.add_metric((state,), count)
    return counted


def _alarms(connection: Connection) -> Metric:
    query = (
        select(alarms.c.kind, func.count())
        .where(alarms.c.state.in_(("raised", "acknowledged")))
        .group_by(alarms.c.kind)
    )
    counted = GaugeMetricFamily(
        "gridpact_alarms", "Alarms that are not resolved.", labels=("kind",)
    )
    for kind, count in connection.execute(query):
        counted.add_metric((kind,), count)
    return counted
