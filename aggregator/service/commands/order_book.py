"""Orders into the store: one row a home, before anything is sent (the outbox)."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Text,
    cast,
    func,
    insert,
    literal,
    select,
    update,
)

from aggregator.service.commands.settings import CommandSettings
from aggregator.service.commands.states import (
    REFUSED,
    SENT,
    SUPERSEDED,
    WAITING,
)
from aggregator.service.registry.audit import Deed, record
from aggregator.service.registry.errors import RegistryAbsentError, RegistryInputError
from aggregator.service.rest.orders import Order, Placed
from aggregator.service.store.store import Store
from aggregator.service.store.tables import commands, devices, homes

_FLEET: Final = "fleet"
_DEVICE: Final = "device"


def _new_id() -> str:
    return secrets.token_hex(8)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderBook:
    """Takes orders down: see `aggregator.service.rest.orders.Orders`.

    Whoever runs `aggregator.service.commands.part.CommandsPart`, in this process or another one,
    finds them in the store and sends them.
    """

    store: Store
    """The database."""
    settings: CommandSettings
    """The pace, which an order's time has to allow for."""
    new_id: Callable[[], str] = _new_id
    """Returns an order's id, another one each time, for ever: gateways remember them."""

    def place(self, order: Order) -> Placed:
        """Write an order down with its line of the audit log; return what it is called.

        A write takes the place of earlier ones to the same home that were not acknowledged: they
        are not sent any more, for an old one must not come after a new one.

        Raises
        ------
        RegistryAbsentError
            If the target names no home in use.
        RegistryInputError
            If it has more homes than can be sent to before the order expires, or is a device that
            no gateway can command by itself.
        StoreUnavailableError
            If the database does not answer; nothing was ordered.
        """
        request = self.new_id()
        body = order.command.model_dump(mode="json", exclude_none=True)
        with self.store.write() as connection:
            _check_device(connection, order.target)
            count = _count(connection, order.target)
            self._check_time(order, count)
            if "write" in body:
                _supersede(connection, order, request)
            _write(connection, order, request, body)
            detail = {"request": request, "homes": count, "command": body}
            deed = Deed(
                at_ms=order.at_ms,
                who=order.who,
                action="command",
                target=order.target,
                detail=detail | {"expires_ms": order.expires_ms},
            )
            record(connection, deed)
        return Placed(request_id=request, homes=count)

    def _check_time(self, order: Order, count: int) -> None:
        """Refuse what would expire before its last home's turn comes."""
        given_s = (order.expires_ms - order.at_ms) / 1000
        needed_s = count / self.settings.per_s
        if needed_s >= given_s:
            msg = (
                f"{order.target} has {count} homes, which take {needed_s:.1f} s at "
                f"{self.settings.per_s:g} a second, and the order expires in {given_s:g} s; "
                "give it longer"
            )
            raise RegistryInputError(msg)


def _within(target: str) -> ColumnElement[bool]:
    """Return what homes fulfil that a target names."""
    kind, _, name = target.partition(":")
    in_use = homes.c.retired.is_(False)
    if kind == _FLEET:
        return in_use
    if kind == _DEVICE:
        name = name.partition("/")[0]
    column = homes.c.group_name if kind == "group" else homes.c.id
    return in_use & (column == name)


def _check_device(connection: Connection, target: str) -> None:
    """Refuse a device other than a home's only battery: that is all that a gateway steers."""
    kind, _, path = target.partition(":")
    if kind != _DEVICE:
        return
    home, _, name = path.partition("/")
    query = (
        select(devices.c.id, devices.c.kind)
        .join(homes, homes.c.number == devices.c.home_number)
        .where(homes.c.id == home, devices.c.retired.is_(False))
    )
    kinds = {row.id: row.kind for row in connection.execute(query)}
    if name not in kinds:
        msg = f"{target} names no device in use; see the home's devices, or command home:{home}"
        raise RegistryAbsentError(msg)
    batteries = sorted(each for each, what in kinds.items() if what == "battery")
    if kinds[name] != "battery":
        msg = (
            f"{path} is no battery but a {kinds[name]}, and a gateway steers its battery alone; "
            f"command home:{home}"
        )
        raise RegistryInputError(msg)
    if len(batteries) > 1:
        msg = (
            f"{home} has {len(batteries)} batteries ({', '.join(batteries)}) and its gateway "
            f"steers one; command home:{home}, or retire the others"
        )
        raise RegistryInputError(msg)


def _count(connection: Connection, target: str) -> int:
    """Return how many homes a target names, or raise where it names none."""
    number = select(func.count()).select_from(homes).where(_within(target))
    count: int = connection.execute(number).scalar_one()
    if not count:
        msg = f"{target} names no home in use; see the list of homes"
        raise RegistryAbsentError(msg)
    return count


def _write(connection: Connection, order: Order, request: str, body: Mapping[str, object]) -> None:
    """Write a row a home, all by one statement."""
    values: dict[str, ColumnElement[Any]] = {
        "correlation_id": literal(f"{request}-").concat(cast(homes.c.number, Text)),
        "request_id": literal(request),
        "home_number": homes.c.number,
        "target": literal(order.target),
        "body": literal(dict(body), commands.c.body.type),
        "asked_by": literal(order.who),
        "state": literal(WAITING),
        "asked_ms": literal(order.at_ms, BigInteger),
        "expires_ms": literal(order.expires_ms, BigInteger),
    }
    rows = select(*values.values()).where(_within(order.target))
    connection.execute(insert(commands).from_select(list(values), rows))


def _supersede(connection: Connection, order: Order, request: str) -> None:
    """End earlier writes to the same homes that nobody has acknowledged."""
    same = select(homes.c.number).where(_within(order.target))
    earlier = (
        update(commands)
        .where(commands.c.state.in_((WAITING, SENT)))
        .where(commands.c.body["write"].as_string().is_not(None))
        .where(commands.c.home_number.in_(same))
    )
    reason = f"order {request} came after it"
    connection.execute(earlier.values(state=REFUSED, code=SUPERSEDED, reason=reason))
