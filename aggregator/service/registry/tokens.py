"""Tokens: who may ask the service. What is kept of a secret is its hash."""

import hashlib
import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, insert, select, update

from aggregator.service.registry.audit import Deed, record
from aggregator.service.registry.errors import RegistryAbsentError, RegistryInputError
from aggregator.service.store.store import Store
from aggregator.service.store.tables import homes, tokens

PREFIX = "gridpact_"
"""What a secret begins with, so that scanners for leaked secrets find it."""
SCOPES = ("operator", "viewer", "home")
"""What a token may be for."""
NAME_MOST = 100
"""Characters of a token's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token as the store knows it."""

    id: str
    """Its public name."""
    name: str
    """What the operator called it."""
    scope: str
    """What it is for, of `SCOPES`."""
    home: str | None
    """The home of a home's token."""
    created_ms: int
    """When it was made. [ms]"""
    expires_ms: int | None
    """From when it is refused. [ms]"""
    revoked_ms: int | None
    """When it was revoked. [ms]"""

    def valid(self, now_ms: int) -> bool:
        """Return whether it may be used.

        Parameters
        ----------
        now_ms : int
            The time. [ms]
        """
        expired = self.expires_ms is not None and self.expires_ms <= now_ms
        return self.revoked_ms is None and not expired


_COLUMNS = (
    tokens.c.id,
    tokens.c.name,
    tokens.c.scope,
    homes.c.id.label("home"),
    tokens.c.created_ms,
    tokens.c.expires_ms,
    tokens.c.revoked_ms,
)
_OF_HOMES = tokens.outerjoin(homes, homes.c.number == tokens.c.home_number)


@dataclass(frozen=True, slots=True)
class TokenBook:
    """Makes, finds and revokes tokens."""

    store: Store
    """The store."""

    def make(
        self,
        name: str,
        scope: str,
        *,
        who: str,
        at_ms: int,
        home: str | None = None,
        expires_ms: int | None = None,
    ) -> tuple[Token, str]:
        """Make a token; its secret is returned and never again.

        Parameters
        ----------
        name : str
            What to call it.
        scope : str
            What it is for, of `SCOPES`.
        who : str
            Who makes it.
        at_ms : int
            The time. [ms]
        home : str, optional
            Its home, for the scope ``home`` and for no other.
        expires_ms : int, optional
            From when it is refused. [ms]

        Raises
        ------
        RegistryInputError
            On a scope, a name or a home that cannot be.
        """
        _require(name, scope, home)
        # 256 random bits cannot be guessed, so one round of SHA-256 is enough, and quick
        secret = PREFIX + secrets.token_urlsafe(32)
        token = Token(
            id=secrets.token_hex(6),
            name=name,
            scope=scope,
            home=home,
            created_ms=at_ms,
            expires_ms=expires_ms,
            revoked_ms=None,
        )
        with self.store.write() as connection:
            _enter(connection, token, secret_hash(secret))
            told = {"name": name, "scope": scope, "home": home}
            deed = Deed(at_ms=at_ms, who=who, action="make token", target=token.id, detail=told)
            record(connection, deed)
        return token, secret

    def find(self, secret: str) -> Token | None:
        """Return the token of a secret, whether it is still valid or not.

        Parameters
        ----------
        secret : str
            As it was given.
        """
        if not secret.startswith(PREFIX):
            return None
        query = select(*_COLUMNS).select_from(_OF_HOMES).where(tokens.c.hash == secret_hash(secret))
        with self.store.look() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return None if row is None else _token(row)

    def all(self) -> list[Token]:
        """Return every token there ever was, oldest first."""
        query = select(*_COLUMNS).select_from(_OF_HOMES).order_by(tokens.c.created_ms, tokens.c.id)
        with self.store.read() as connection:
            return [_token(row) for row in connection.execute(query).mappings()]

    def revoke(self, token_id: str, *, who: str, at_ms: int) -> None:
        """Refuse a token from now on; again, it does nothing.

        Parameters
        ----------
        token_id : str
            Its public name.
        who : str
            Who revokes it.
        at_ms : int
            The time. [ms]

        Raises
        ------
        RegistryAbsentError
            Where there is none of that id.
        """
        with self.store.write() as connection:
            if connection.scalar(select(tokens.c.id).where(tokens.c.id == token_id)) is None:
                msg = f"token {token_id!r} is unknown; list them for their ids"
                raise RegistryAbsentError(msg)
            valid = update(tokens).where(tokens.c.id == token_id, tokens.c.revoked_ms.is_(None))
            if connection.execute(valid.values(revoked_ms=at_ms)).rowcount:
                record(
                    connection, Deed(at_ms=at_ms, who=who, action="revoke token", target=token_id)
                )


def _require(name: str, scope: str, home: str | None) -> None:
    """Raise for what no token can be."""
    if scope not in SCOPES:
        msg = f"token {name!r}: scope {scope!r} is none of {', '.join(SCOPES)}; choose one"
        raise RegistryInputError(msg)
    if (scope == "home") != (home is not None):
        msg = f"token {name!r}: scope {scope!r} with home {home!r}; a home's token names its home"
        raise RegistryInputError(msg)
    if not name.isprintable() or not 0 < len(name) <= NAME_MOST:
        msg = f"token {name!r}: its name is empty, too long or not printable; give a short one"
        raise RegistryInputError(msg)


def _enter(connection: Connection, token: Token, hashed: str) -> None:
    """Write a token, or raise where its home is unknown."""
    number = connection.scalar(select(homes.c.number).where(homes.c.id == token.home))
    if token.home is not None and number is None:
        msg = f"token {token.name!r}: home {token.home!r} is unknown; configure it first"
        raise RegistryInputError(msg)
    connection.execute(
        insert(tokens).values(
            id=token.id,
            hash=hashed,
            name=token.name,
            scope=token.scope,
            home_number=number,
            created_ms=token.created_ms,
            expires_ms=token.expires_ms,
        )
    )


def secret_hash(secret: str) -> str:
    """Return what is kept of a secret.

    Parameters
    ----------
    secret : str
        As it was given, whatever it holds.
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _token(row: RowMapping) -> Token:
    return Token(**row)
