"""Who may ask for what: the one rule that every route goes through."""

from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """What a token is for."""

    OPERATOR = "operator"
    """Reads and changes everything."""
    VIEWER = "viewer"
    """Reads everything."""
    HOME = "home"
    """Reads what is of its own home."""


class Access(StrEnum):
    """Whom a route is for."""

    PUBLIC = "public"
    """Anybody: it tells nothing of a home."""
    TOKEN = "token"  # noqa: S105 -- no secret
    """Anybody with a token: it tells of the token alone."""
    HOME = "home"
    """The home that the route's path names, viewers and operators."""
    VIEWER = "viewer"
    """Viewers and operators."""
    OPERATOR = "operator"
    """Operators."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Whom a token stands for."""

    token_id: str
    """The token's public name, as the audit log writes it."""
    name: str
    """What the operator called it."""
    scope: Scope
    """What it is for."""
    home: str | None = None
    """The home of a home's token."""


def permitted(access: Access, principal: Principal | None, home: str | None) -> bool:
    """Return whether a request may go on.

    Parameters
    ----------
    access : Access
        Whom the route is for.
    principal : Principal or None
        Who asks; None is somebody without a token.
    home : str or None
        The home that the route's path names. A home's token is for those routes alone, so that
        nothing that lists homes needs to remember to filter.
    """
    if access is Access.PUBLIC:
        return True
    if principal is None:
        return False
    if access is Access.TOKEN or principal.scope is Scope.OPERATOR:
        return True
    if principal.scope is Scope.VIEWER:
        return access is not Access.OPERATOR
    return access is Access.HOME and home is not None and home == principal.home
