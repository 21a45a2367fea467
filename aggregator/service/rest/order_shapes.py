"""What is told of commands, alarms and the audit log."""

from pydantic import BaseModel

from aggregator.service.registry.audit import Outcome


class GivenCommand(BaseModel):
    """A command to one gateway, and what became of it."""

    correlation_id: str
    """Its own."""
    request_id: str
    """The order's that it is part of."""
    home: str
    """Whom."""
    target: str
    """As it was asked: ``fleet``, ``group:NAME``, ``home:ID`` or ``device:HOME/DEVICE``."""
    body: dict[str, object]
    """What."""
    asked_by: str
    """The token's id."""
    state: str
    """waiting, sent, accepted, done, aborted, refused, expired or unanswered."""
    asked_ms: int
    """When it was given. [ms]"""
    sent_ms: int | None
    """When it was sent. [ms]"""
    expires_ms: int
    """Until when it may be begun. [ms]"""
    acknowledged_ms: int | None
    """When the gateway had read it. [ms]"""
    finished_ms: int | None
    """When its outcome came. [ms]"""
    outcome: str | None
    """The gateway's word."""
    code: str | None
    """Why, in a word for programs."""
    reason: str | None
    """Why, in the gateway's words."""
    late: bool
    """Whether the answer came after its time."""
    sends: int
    """How often it was sent: again for want of an acknowledgement."""


class CommandsPage(BaseModel):
    """Commands, newest first."""

    items: list[GivenCommand]
    """The page."""
    next: str | None
    """The next page's ``cursor``."""


class Alarm(BaseModel):
    """An alarm."""

    number: int
    """Its number."""
    kind: str
    """What of."""
    home: str | None
    """Whose; null where it is the fleet's."""
    state: str
    """raised, acknowledged or resolved."""
    severity: str
    """How bad."""
    line: str
    """What is wrong."""
    raised_ms: int
    """When it began. [ms]"""
    acknowledged_ms: int | None
    """When somebody saw it. [ms]"""
    acknowledged_by: str | None
    """Who."""
    resolved_ms: int | None
    """When it was over. [ms]"""
    resolved_by: str | None
    """Who said so: a token's id, or ``service`` where it was over by itself."""


class AlarmsPage(BaseModel):
    """Alarms, newest first."""

    items: list[Alarm]
    """The page."""
    next: int | None
    """The next page's ``cursor``."""


class ShownDeed(BaseModel):
    """A line of the audit log."""

    number: int
    """Its number."""
    at_ms: int
    """When. [ms]"""
    who: str
    """The token's id; ``unknown`` where there was none."""
    action: str
    """What."""
    target: str
    """To what."""
    outcome: Outcome
    """done or refused."""
    detail: dict[str, object]
    """More."""


class DeedsPage(BaseModel):
    """Lines of the audit log, newest first."""

    items: list[ShownDeed]
    """The page."""
    next: int | None
    """The next page's ``cursor``."""
