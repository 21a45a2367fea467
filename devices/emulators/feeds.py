"""Emulated price services on real sockets: they answer as the real ones do, late days included.

Each serves one series of prices. Days become known as they do in reality: tomorrow's at a time of
the day before, by the clock that the emulator is given.
"""

import math
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from devices.clock import Clock
from devices.emulators.faults import Fault, FaultPlan
from devices.emulators.http_server import BOTH_FAULTS, HttpAnswer, HttpRequest, HttpServer
from devices.feeds.local_days import day_of

PriceOf = Callable[[datetime], float | None]
"""Price of the slot that begins at a time; None where the market has none. [currency/MWh]"""
Answers = Callable[["PriceService", HttpRequest], HttpAnswer]
"""How a service answers: one of the functions of the modules ``feeds_*``."""
_WINDOW_S: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedPrices:
    """What a market publishes, and when."""

    price_of: PriceOf = field(default=lambda begin: 50.0 + begin.hour)
    """The prices. [currency/MWh]"""
    step: timedelta = timedelta(hours=1)
    """Length of its slots."""
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Europe/Berlin"))
    """Zone of its days."""
    published: time | None = time(13)
    """Local time at which tomorrow's prices come; None where a slot's comes when it is over."""

    def known_until(self, now: datetime) -> datetime:
        """Return the end of what is published at a time."""
        if self.published is None:
            return now
        late = now.astimezone(self.zone).time() >= self.published
        return day_of(now, self.zone, days=1 if late else 0)[1]

    def known(
        self, begin: datetime, end: datetime, *, now: datetime
    ) -> list[tuple[datetime, float | None]]:
        """Return begin and price of the published slots that touch ``[begin, end)``."""
        step_s = self.step.total_seconds()
        start = datetime.fromtimestamp(begin.timestamp() // step_s * step_s, UTC)
        until = min(end, self.known_until(now) if self.published else now - self.step)
        count = max(math.ceil((until - start) / self.step), 0)
        begins = [start + number * self.step for number in range(count)]
        return [(each, self.price_of(each)) for each in begins]


class PriceService:
    """One emulated service.

    Parameters
    ----------
    answers : callable
        How it answers.
    prices : PublishedPrices
        What it knows.
    clock : Clock
        The time.
    host, port : str, int
        Where to listen; port 0 takes a free one.
    faults : FaultPlan, optional
        What goes wrong.
    calls_per_minute : int, optional
        Calls that a minute may see before 429 is answered; None counts none.
    """

    def __init__(
        self,
        answers: Answers,
        *,
        prices: PublishedPrices,
        clock: Clock,
        host: str = "127.0.0.1",
        port: int = 0,
        faults: FaultPlan | None = None,
        calls_per_minute: int | None = None,
    ) -> None:
        self.prices = prices
        """What it knows; may be replaced while it runs."""
        self.faults = faults or FaultPlan.none()
        """What goes wrong; likewise."""
        self.asked: Counter[str] = Counter()
        """Requests by path."""
        self._answers = answers
        self._clock = clock
        self._host = host
        self._calls_per_minute = calls_per_minute
        self._calls: deque[float] = deque()
        self._server = HttpServer(self, clock=clock, host=host, port=port)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{self._host}:{self._server.port}"

    @property
    def now(self) -> datetime:
        """The time that it knows."""
        return self._clock.utc()

    @property
    def offered(self) -> frozenset[Fault]:
        """See `devices.emulators.http_server.HttpDevice`."""
        return BOTH_FAULTS

    def answer(self, request: HttpRequest) -> HttpAnswer:
        """See `HttpDevice`."""
        self.asked[request.path] += 1
        if self._too_many():
            return HttpAnswer(status=429, body=b"{}", headers={"Retry-After": "120"})
        return self._answers(self, request)

    def reboot(self) -> None:
        """See `HttpDevice`: it forgets who asked how often."""
        self._calls.clear()

    async def start(self) -> None:
        """Begin to listen."""
        await self._server.start()

    async def stop(self) -> None:
        """Stop listening."""
        await self._server.stop()

    def _too_many(self) -> bool:
        if self._calls_per_minute is None:
            return False
        now_s = self._clock.monotonic_s()
        self._calls.append(now_s)
        while self._calls[0] <= now_s - _WINDOW_S:
            self._calls.popleft()
        return len(self._calls) > self._calls_per_minute
