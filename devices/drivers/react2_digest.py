"""The X-Digest scheme of ABB and FIMER loggers: RFC 2617's Digest under another name; no I/O."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

_PAIR: Final = re.compile(r'([A-Za-z-]{1,32})\s*=\s*(?:"([^"]*)"|([^\s,"]+))')


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """What a logger asks for in a 401."""

    realm: str
    """Realm, such as ``registered_user@power-one.com``."""
    nonce: str
    """Number used once."""
    qop: str | None
    """Quality of protection; None for RFC 2069's form, without counts."""


def parse_digest(header: str) -> dict[str, str] | None:
    """Return the fields of a challenge or an authorisation, None if it is no X-Digest.

    Parameters
    ----------
    header : str
        ``WWW-Authenticate``, ``Authorization`` or ``X-Digest``; the latter may lack the scheme.
    """
    scheme, _, rest = header.strip().partition(" ")
    if "=" in scheme:
        rest = header
    elif scheme.lower() not in {"x-digest", "digest"}:
        return None
    pairs = {key.lower(): quoted or bare for key, quoted, bare in _PAIR.findall(rest)}
    return pairs or None


def parse_challenge(headers: Mapping[str, str]) -> Challenge | None:
    """Return the challenge in a 401's headers, names in small letters; None without one."""
    for name in ("www-authenticate", "x-digest"):
        fields = parse_digest(headers.get(name, ""))
        if fields is not None and fields.get("nonce"):
            offered = fields.get("qop")
            return Challenge(
                realm=fields.get("realm", ""),
                nonce=fields["nonce"],
                qop=None if offered is None else "auth",
            )
    return None


def digest(parts: list[str]) -> str:
    """Return the MD5 of parts joined by colons: what the scheme asks for, no choice of ours."""
    joined = ":".join(parts).encode()
    return hashlib.md5(joined, usedforsecurity=False).hexdigest()


def response(challenge: Challenge, ha1: str, *, method: str, uri: str, nc: str, cnonce: str) -> str:
    """Return the response to a challenge (RFC 2617, §3.2.2.1).

    Parameters
    ----------
    challenge : Challenge
        What was asked for.
    ha1 : str
        Digest of name, realm and password.
    method, uri : str
        Verb and path.
    nc, cnonce : str
        Count of requests, eight hexadecimal digits, and our own number used once.
    """
    ha2 = digest([method, uri])
    if challenge.qop is None:
        return digest([ha1, challenge.nonce, ha2])
    return digest([ha1, challenge.nonce, nc, cnonce, challenge.qop, ha2])


@dataclass(kw_only=True)
class XDigest:
    """Answer the challenges of one logger; see `devices.drivers.http_link.Authentication`.

    Parameters
    ----------
    user : str
        Name.
    password : str
        Password; never shown.
    cnonce : str
        Number used once by us.
    """

    user: str
    password: str = field(repr=False)
    cnonce: str
    _challenge: Challenge | None = field(default=None, init=False, repr=False)
    _count: int = field(default=0, init=False, repr=False)

    def headers(self, method: str, path: str) -> Mapping[str, str]:
        """Return the authorisation, in both headers that loggers look at; none unchallenged."""
        challenge = self._challenge
        if challenge is None:
            return {}
        self._count += 1
        nc = f"{self._count:08x}"
        ha1 = digest([self.user, challenge.realm, self.password])
        answer = response(challenge, ha1, method=method, uri=path, nc=nc, cnonce=self.cnonce)
        text = (
            f'X-Digest username="{self.user}", realm="{challenge.realm}", '
            f'nonce="{challenge.nonce}", uri="{path}", response="{answer}"'
        )
        if challenge.qop is not None:
            text += f', qop={challenge.qop}, nc={nc}, cnonce="{self.cnonce}"'
        return {"Authorization": text, "X-Digest": text}

    def challenged(self, headers: Mapping[str, str]) -> bool:
        """Take a 401's challenge; the same one again means that name or password are wrong."""
        challenge = parse_challenge(headers)
        if challenge is None or challenge == self._challenge:
            return False
        self._challenge, self._count = challenge, 0
        return True
