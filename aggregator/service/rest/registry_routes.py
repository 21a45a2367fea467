"""Homes, devices and tariffs: read, changed for a version, retired, their history."""

from collections.abc import Sequence
from typing import Any, TypeVar

from fastapi import Response

from aggregator.service.registry.bodies import DeviceBody, HomeBody, TariffBody
from aggregator.service.registry.kinds import DEVICE, HOME, TARIFF, Entry, Kind, Version
from aggregator.service.registry.registry import changed_fields
from aggregator.service.registry.writing import Edit, Thing
from aggregator.service.rest.access import Access, Principal
from aggregator.service.rest.fleet import home_now, home_row
from aggregator.service.rest.guard import guarded_router, needs
from aggregator.service.rest.inputs import (
    PAGE,
    AtMs,
    Comment,
    DeviceId,
    ForExisting,
    ForVersion,
    HomeId,
    Limit,
    NameCursor,
    NumberCursor,
    Precondition,
    TariffId,
)
from aggregator.service.rest.parts import Asker, Parts, RestParts
from aggregator.service.rest.registry_shapes import (
    DevicesPage,
    HomesPage,
    Kept,
    KeptDevice,
    KeptHome,
    KeptTariff,
    KeptVersion,
    ShownHome,
    TariffsPage,
    VersionsPage,
    Written,
)

router = guarded_router()
"""These routes."""


@router.get("/api/homes", **needs(Access.VIEWER))
def list_homes(parts: Parts, cursor: NameCursor = "", limit: Limit = PAGE) -> HomesPage:
    """Return homes by their ids, retired ones too."""
    page, following = _page(parts.registry.homes(after=cursor, limit=limit + 1), limit)
    items = [_kept(KeptHome, entry) for entry in page]
    return HomesPage(items=items, next=following)


@router.get("/api/homes/{home}", response_model=ShownHome, **needs(Access.HOME))
def show_home(parts: Parts, home: HomeId) -> Response:
    """Return a home: what is configured, and how it is now."""
    with parts.store.look() as connection:
        row = home_row(connection, home)
    if row is None:
        raise Thing(kind=HOME, key=home, named={}).absent()
    entry = HOME.entry(home, row)
    shown = ShownHome(**_told(entry), now=home_now(row, parts.clock_ms()))
    etag = {"ETag": f'"{entry.version}"'}
    return Response(shown.model_dump_json(), 200, etag, "application/json")


@router.put("/api/homes/{home}", **needs(Access.OPERATOR))
def configure_home(
    *,
    parts: Parts,
    asker: Asker,
    home: HomeId,
    body: HomeBody,
    for_version: ForVersion,
    response: Response,
    comment: Comment = "",
) -> Written:
    """Configure a home: a new one, or the next version of it."""
    edit = _edit(parts, asker, for_version, comment)
    return _written(parts.registry.put(home, body, edit), response)


@router.delete("/api/homes/{home}", **needs(Access.OPERATOR))
def retire_home(
    *,
    parts: Parts,
    asker: Asker,
    home: HomeId,
    for_version: ForExisting,
    response: Response,
    comment: Comment = "",
) -> Written:
    """Take a home out of use; what it was and measured stays."""
    edit = _edit(parts, asker, for_version, comment)
    return _written(parts.registry.retire(HOME, home, edit), response)


@router.get("/api/homes/{home}/history", **needs(Access.HOME))
def show_home_history(
    *,
    parts: Parts,
    home: HomeId,
    at_ms: AtMs = None,
    cursor: NumberCursor = None,
    limit: Limit = PAGE,
) -> VersionsPage:
    """Return a home's versions, newest first."""
    return _history(parts, HOME, home, at_ms=at_ms, cursor=cursor, limit=limit)


@router.get("/api/homes/{home}/devices", **needs(Access.HOME))
def list_devices(
    parts: Parts, home: HomeId, cursor: NameCursor = "", limit: Limit = PAGE
) -> DevicesPage:
    """Return a home's devices by their ids, retired ones too."""
    found = parts.registry.devices(home, after=cursor, limit=limit + 1)
    page, following = _page(found, limit)
    return DevicesPage(items=[_kept(KeptDevice, entry) for entry in page], next=following)


@router.get("/api/homes/{home}/devices/{device}", **needs(Access.HOME))
def show_device(parts: Parts, home: HomeId, device: DeviceId, response: Response) -> KeptDevice:
    """Return a device."""
    entry = parts.registry.get(DEVICE, f"{home}/{device}")
    response.headers["ETag"] = f'"{entry.version}"'
    return _kept(KeptDevice, entry)


@router.put("/api/homes/{home}/devices/{device}", **needs(Access.OPERATOR))
def configure_device(
    *,
    parts: Parts,
    asker: Asker,
    home: HomeId,
    device: DeviceId,
    body: DeviceBody,
    for_version: ForVersion,
    response: Response,
    comment: Comment = "",
) -> Written:
    """Configure a device: a new one, or the next version of it."""
    edit = _edit(parts, asker, for_version, comment)
    return _written(parts.registry.put(f"{home}/{device}", body, edit), response)


@router.delete("/api/homes/{home}/devices/{device}", **needs(Access.OPERATOR))
def retire_device(
    *,
    parts: Parts,
    asker: Asker,
    home: HomeId,
    device: DeviceId,
    for_version: ForExisting,
    response: Response,
    comment: Comment = "",
) -> Written:
    """Take a device out of use; what it was and measured stays."""
    edit = _edit(parts, asker, for_version, comment)
    return _written(parts.registry.retire(DEVICE, f"{home}/{device}", edit), response)


@router.get("/api/homes/{home}/devices/{device}/history", **needs(Access.HOME))
def show_device_history(
    *,
    parts: Parts,
    home: HomeId,
    device: DeviceId,
    at_ms: AtMs = None,
    cursor: NumberCursor = None,
    limit: Limit = PAGE,
) -> VersionsPage:
    """Return a device's versions, newest first."""
    key = f"{home}/{device}"
    return _history(parts, DEVICE, key, at_ms=at_ms, cursor=cursor, limit=limit)


@router.get("/api/tariffs", **needs(Access.VIEWER))
def list_tariffs(parts: Parts, cursor: NameCursor = "", limit: Limit = PAGE) -> TariffsPage:
    """Return tariffs by their ids, retired ones too."""
    page, following = _page(parts.registry.tariffs(after=cursor, limit=limit + 1), limit)
    return TariffsPage(items=[_kept(KeptTariff, entry) for entry in page], next=following)


@router.get("/api/tariffs/{tariff}", **needs(Access.VIEWER))
def show_tariff(parts: Parts, tariff: TariffId, response: Response) -> KeptTariff:
    """Return a tariff."""
    entry = parts.registry.get(TARIFF, tariff)
    response.headers["ETag"] = f'"{entry.version}"'
    return _kept(KeptTariff, entry)


@router.put("/api/tariffs/{tariff}", **needs(Access.OPERATOR))
def configure_tariff(
    *,
    parts: Parts,
    asker: Asker,
    tariff: TariffId,
    body: TariffBody,
    for_version: ForVersion,
    response: Response,
    comment: Comment = "",
) -> Written:
    """Configure a tariff: a new one, or the next version of it."""
    edit = _edit(parts, asker, for_version, comment)
    return _written(parts.registry.put(tariff, body, edit), response)


@router.delete("/api/tariffs/{tariff}", **needs(Access.OPERATOR))
def retire_tariff(
    *,
    parts: Parts,
    asker: Asker,
    tariff: TariffId,
    for_version: ForExisting,
    response: Response,
    comment: Comment = "",
) -> Written:
    """Take a tariff out of use; what it was and measured stays."""
    edit = _edit(parts, asker, for_version, comment)
    return _written(parts.registry.retire(TARIFF, tariff, edit), response)


@router.get("/api/tariffs/{tariff}/history", **needs(Access.VIEWER))
def show_tariff_history(
    *,
    parts: Parts,
    tariff: TariffId,
    at_ms: AtMs = None,
    cursor: NumberCursor = None,
    limit: Limit = PAGE,
) -> VersionsPage:
    """Return a tariff's versions, newest first."""
    return _history(parts, TARIFF, tariff, at_ms=at_ms, cursor=cursor, limit=limit)


T = TypeVar("T", bound=Kept)


def _kept(shape: type[T], entry: Entry) -> T:
    """Return an entry in its shape."""
    return shape.model_validate(_told(entry))


def _told(entry: Entry) -> dict[str, Any]:
    """Return an entry as it is told; a device's name is without its home's."""
    return {
        "id": entry.key.rpartition("/")[2],
        "version": entry.version,
        "retired": entry.retired,
        "configuration": entry.body,
    }


def _page(entries: Sequence[Entry], limit: int) -> tuple[Sequence[Entry], str | None]:
    """Return a page and where the next goes on, of one entry more than a page has."""
    page = entries[:limit]
    following = page[-1].key.rpartition("/")[2] if len(entries) > limit else None
    return page, following


def _edit(parts: RestParts, asker: Principal, of: Precondition, comment: str) -> Edit:
    return Edit(who=asker.token_id, at_ms=parts.clock_ms(), version=of.version, comment=comment)


def _written(version: Version, response: Response) -> Written:
    response.headers["ETag"] = f'"{version.version}"'
    return Written(version=version.version)


def _history(
    parts: RestParts,
    kind: Kind,
    key: str,
    *,
    at_ms: int | None,
    cursor: int | None,
    limit: int,
) -> VersionsPage:
    found = parts.registry.history(kind, key, before=cursor, at_ms=at_ms, limit=limit + 1)
    if not found:
        parts.registry.get(kind, key)  # says so where there is no such thing
    first = [sorted(found[-1].body)] if found else []
    changed = [*changed_fields(found), *first]
    items = [
        KeptVersion(
            version=each.version,
            changed_ms=each.changed_ms,
            changed_by=each.changed_by,
            comment=each.comment,
            configuration=dict(each.body),
            changed=fields,
        )
        for each, fields in zip(found, changed, strict=True)
    ][:limit]
    return VersionsPage(items=items, next=items[-1].version if len(found) > limit else None)
