"""Takes the operator's commands: each is acknowledged, carried out at most once, and answered."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from devices.clock import Clock
from devices.error_codes import code_of
from devices.errors import DeviceError
from devices.requests import Action, ReadRequest, WriteRequest
from hems.agent.health import Health
from hems.agent.mqtt.command_memory import CommandMemory
from hems.agent.mqtt.command_queue import CommandQueue, is_overtaken, is_stop
from hems.agent.mqtt.commands_in import (
    Command,
    Envelope,
    PowerReference,
    Release,
    Why,
    correlation_of,
    decode,
)
from hems.agent.mqtt.plausible_clock import PlausibleClock
from hems.agent.mqtt.settings import CommandSettings, Topics
from hems.agent.mqtt.spool import Lane, Spool
from hems.agent.mqtt.telemetry import rows_of
from hems.agent.orders import GivenUp, Order, OrderDesk
from hems.agent.store import Store
from hems.errors import CommandRefusedError, StoreError

DONE: Final = "done"
"""Outcome: the battery does it."""
REFUSED: Final = "refused"
"""Outcome: it was not done, for the reason given."""
EXPIRED: Final = "expired"
"""Outcome: it came, or its turn came, too late."""
ABORTED: Final = "aborted"
"""Further outcome, after ``done``: the battery did it, and it ended before its time."""
ANSWER_EXPIRES_S: Final = 7 * 24 * 3600.0
"""How long an answer is of use. [s]"""
_OVERTAKEN: Final = "a stop came after it, before it was done"
_IN_TIME: Final = "in time, and the battery was left to the controller"
_THING: Final = "memory of commands"
_SIGNS: Final = {Action.CHARGE: 1.0, Action.DISCHARGE: -1.0}


class CommandDesk:
    """Acknowledge commands as they come and carry them out one after the other, a stop at once.

    Parameters
    ----------
    settings : CommandSettings
        Bounds.
    topics : Topics
        Where answers go; whose gateway this is.
    orders : OrderDesk
        Carries them out.
    store : Store
        Remembers which were taken.
    spool : Spool
        Takes the answers.
    clock : Clock
        The time.
    health : Health
        Is told when nothing can be remembered.
    """

    def __init__(
        self,
        settings: CommandSettings,
        topics: Topics,
        *,
        orders: OrderDesk,
        store: Store,
        spool: Spool,
        clock: Clock,
        health: Health,
    ) -> None:
        self._settings = settings
        self._topics = topics
        self._orders = orders
        self._spool = spool
        self._clock = clock
        self._health = health
        self._memory = CommandMemory(store)
        self._time = PlausibleClock(clock, store=store, health=health)
        self._queue = CommandQueue()
        self._doing: tuple[Command, asyncio.Timeout] | None = None
        self._settle_what_was_cut_short()

    @property
    def time(self) -> PlausibleClock:
        """Whether the time is known."""
        return self._time

    def receive(self, payload: bytes, envelope: Envelope, *, retained: bool = False) -> None:
        """Take a message on the topic of commands, and answer it."""
        if retained:
            reason = "a retained command is given again and again; send it without retain"
            named = correlation_of(payload, envelope)
            self._refuse(CommandRefusedError(Why.RETAINED, reason, correlation_id=named))
            return
        try:
            command = self._checked(payload, envelope)
        except CommandRefusedError as error:
            self._refuse(error)
            return
        self._acknowledge(command.correlation_id)
        for each in self._queue.put(command):
            self._end(each.correlation_id, REFUSED, code=Why.SUPERSEDED, reason=_OVERTAKEN)
        if is_stop(command):
            self._cut_short()

    def aborted(self, order: GivenUp) -> None:
        """Tell of an order that was begun, whose outcome was ``done``, and that ended too early."""
        self._end(order.correlation_id, ABORTED, code=order.code, reason=order.reason)

    async def work(self) -> None:
        """Carry out what was taken, for ever."""
        while True:
            command = await self._queue.get()
            outcome, code, reason = DONE, "", ""
            rows: object = None
            try:
                self._check_time(command)
                rows = await self._within_its_time(command)
            except CommandRefusedError as error:
                outcome = EXPIRED if error.code == Why.EXPIRED else REFUSED
                code, reason = error.code, str(error)
            except DeviceError as error:
                outcome, code, reason = REFUSED, code_of(error), str(error)
            except TimeoutError:
                outcome, code = REFUSED, "unavailable"
                reason = f"it was not done within {self._settings.carry_out_s:g} s"
                await self._give_up()
            self._end(command.correlation_id, outcome, code=code, reason=reason, rows=rows)

    async def _within_its_time(self, command: Command) -> object:
        """Carry a command out; raise ``TimeoutError`` if the battery takes too long."""
        begun_s = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self._settings.carry_out_s) as limit:
                self._doing = command, limit
                return await self._carry_out(command)
        except TimeoutError as error:
            ends_s = limit.when()
            if ends_s is None or ends_s >= begun_s + self._settings.carry_out_s:
                raise
            named = command.correlation_id
            raise CommandRefusedError(Why.SUPERSEDED, _OVERTAKEN, correlation_id=named) from error
        finally:
            self._doing = None

    def _cut_short(self) -> None:
        """Let go of a write that is under way: whoever stops a battery cannot wait for it."""
        if self._doing is None:
            return
        command, limit = self._doing
        if is_overtaken(command) and not limit.expired():
            limit.reschedule(asyncio.get_running_loop().time() - 1.0)

    def _checked(self, payload: bytes, envelope: Envelope) -> Command:
        """Return a command that may be carried out, remembered as taken."""
        now_s = self._now_s()
        command = decode(
            payload,
            envelope,
            device_id=self._topics.device_id,
            now_s=now_s,
            settings=self._settings,
        )
        try:
            self._refuse_repeated(command.correlation_id)
            self._check_time(command)
            taken = self._queue.has_room(command) and self._memory.begin(
                command.correlation_id, expires_s=command.expires_s, now_s=now_s
            )
        except StoreError as error:
            self._health.lost(_THING, str(error))
            reason = "the gateway cannot remember commands, so it takes none; see to its disk"
            raise CommandRefusedError(
                Why.MEMORY, reason, correlation_id=command.correlation_id
            ) from error
        self._health.back(_THING)
        if not taken:
            reason = "too many commands are waiting or remembered; send it again later"
            raise CommandRefusedError(Why.BUSY, reason, correlation_id=command.correlation_id)
        return command

    def _refuse_repeated(self, named: str) -> None:
        known = self._memory.find(named)
        if known is None:
            return
        if known.outcome is not None:
            self._answer(named, known.outcome, code=Why.REPEATED, reason=known.reason)
        became = known.outcome or "not known yet"
        reason = f"command {named} was received before; its outcome: {became}"
        raise CommandRefusedError(Why.REPEATED, reason, correlation_id=named)

    def _refuse(self, error: CommandRefusedError) -> None:
        self._acknowledge(error.correlation_id, error)
        if error.code != Why.REPEATED:  # whose outcome is that of the first
            outcome = EXPIRED if error.code == Why.EXPIRED else REFUSED
            self._answer(error.correlation_id, outcome, code=error.code, reason=str(error))

    def _check_time(self, command: Command) -> None:
        doubt = self._time.doubt()
        if doubt is not None:
            raise CommandRefusedError(Why.CLOCK, doubt, correlation_id=command.correlation_id)
        late_s = self._now_s() - command.expires_s
        if late_s >= 0:
            reason = f"it expired {late_s:.0f} s before it could be begun"
            raise CommandRefusedError(Why.EXPIRED, reason, correlation_id=command.correlation_id)

    async def _carry_out(self, command: Command) -> object:
        """Do what is asked; return the rows of a read."""
        request = command.request
        if isinstance(request, ReadRequest):
            return await self._read(request, command)
        if isinstance(request, Release):
            await self._orders.end_order()
        elif isinstance(request, PowerReference):
            await self._order(command, request.interval_s, grid_power_w=request.grid_power_w)
        elif request.action is Action.PROFILE:
            if request.backup_soc is not None:
                await self._orders.keep_reserve(request.backup_soc)
            await self._order(command, None, follow=True)
        elif request.action is Action.STOP:
            await self._order(command, request.interval_s, battery_power_w=0.0)
        else:
            await self._order(command, request.interval_s, battery_power_w=self._power_w(request))
        return None

    def _power_w(self, request: WriteRequest) -> float:
        charge_w, discharge_w = self._orders.rated_w
        rated_w = charge_w if request.action is Action.CHARGE else discharge_w
        return _SIGNS[request.action] * request.power_percent / 100 * rated_w + 0.0

    async def _order(
        self,
        command: Command,
        interval_s: float | None,
        *,
        battery_power_w: float | None = None,
        grid_power_w: float | None = None,
        follow: bool = False,
    ) -> None:
        """Order something for an interval, or for as long as an order stands at most."""
        longest_s = self._settings.longest_min * 60
        order = Order(
            correlation_id=command.correlation_id,
            until=self._clock.utc() + timedelta(seconds=interval_s or longest_s),
            battery_power_w=battery_power_w,
            grid_power_w=grid_power_w,
            follow=follow,
        )
        await self._orders.take(order)

    async def _read(self, request: ReadRequest, command: Command) -> object:
        reading = await self._orders.read()
        rows = rows_of(reading, request.quantity)
        if not rows:
            reason = f"the storage does not tell its {request.quantity.value.lower()}"
            raise CommandRefusedError(Why.REFUSED, reason, correlation_id=command.correlation_id)
        return [{"timestamp": round(reading.utc.timestamp(), 3), **row} for row in rows]

    async def _give_up(self) -> None:
        """Leave the battery to the controller: nobody knows what a command left half done."""
        try:
            async with asyncio.timeout(self._settings.carry_out_s):
                ended = await self._orders.end_order()
        except (DeviceError, TimeoutError) as error:
            self._health.note(f"an order could not be taken back: {error or 'no answer'}")
            return
        if ended is not None:
            reason = f"it stood until a later command was not done {_IN_TIME}"
            self.aborted(
                GivenUp(correlation_id=ended.correlation_id, code="unavailable", reason=reason)
            )

    def _settle_what_was_cut_short(self) -> None:
        """Answer commands that were being carried out when the gateway was killed."""
        for named, _ in self._memory.unfinished():
            reason = (
                "the gateway was restarted while it was carried out, so it may stand or not; "
                "send a new one"
            )
            self._end(named, REFUSED, code=Why.RESTARTED, reason=reason)

    def _end(
        self, named: str, outcome: str, *, code: str = "", reason: str = "", rows: object = None
    ) -> None:
        try:
            self._memory.end(named, outcome, reason)
        except StoreError as error:
            self._health.lost(_THING, str(error))
        self._answer(named, outcome, code=code, reason=reason, rows=rows)

    def _acknowledge(self, named: str | None, refusal: CommandRefusedError | None = None) -> None:
        self._put(
            self._topics.acknowledgement,
            named,
            {
                "accepted": refusal is None,
                "code": None if refusal is None else refusal.code,
                "reason": None if refusal is None else str(refusal),
            },
        )

    def _answer(
        self,
        named: str | None,
        outcome: str,
        *,
        code: str = "",
        reason: str = "",
        rows: object = None,
    ) -> None:
        body = {"outcome": outcome, "code": code or None, "reason": reason or None}
        self._put(self._topics.outcome, named, body if rows is None else {**body, "rows": rows})

    def _put(self, topic: str, named: str | None, body: Mapping[str, object]) -> None:
        now_s = self._now_s()
        head = {"timestamp": round(now_s, 3), "device": self._topics.device_id}
        self._spool.put(
            Lane.ANSWER,
            topic,
            {**head, **body},
            expires_s=now_s + ANSWER_EXPIRES_S,
            correlation_id=named,
        )

    def _now_s(self) -> float:
        return self._clock.utc().timestamp()
