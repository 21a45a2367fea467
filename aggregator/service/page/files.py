"""The page's files, read once, with a name that changes when any of them does."""

import gzip
import hashlib
import re
from dataclasses import dataclass
from importlib.resources import files
from string import Template
from typing import Final

from fastapi import Response

_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_INDEX: Final = "index.html"
_APP: Final = "app.js"
"""What the document names itself, and what all else is imported by."""
_IMPORT: Final = re.compile(rb'^(?:import|export)\b[^;]*?"\./([a-z0-9_]+\.js)";', re.MULTILINE)
"""What a module cannot begin without; ``import()`` fetches the others when they are needed."""
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
"""The page's Content-Security-Policy: our own files and nothing else, no markup out of text."""
IMMUTABLE: Final = "public, max-age=31536000, immutable"
"""A file's name holds its version, so that it never changes."""


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file, ready to be sent."""

    body: bytes
    """As it is."""
    packed: bytes
    """The same, with gzip."""
    media_type: str
    """Its type."""

    def answer(self, accept_encoding: str, headers: dict[str, str]) -> Response:
        """Return it as an answer.

        Parameters
        ----------
        accept_encoding : str
            What the browser reads.
        headers : dict of str
            More headers.
        """
        headers = {**headers, "Vary": "Accept-Encoding"}
        if "gzip" not in accept_encoding:
            return Response(self.body, 200, headers, self.media_type)
        headers["Content-Encoding"] = "gzip"
        return Response(self.packed, 200, headers, self.media_type)


@dataclass(frozen=True, slots=True)
class PageFiles:
    """All files of the page."""

    version: str
    """Another one when any file differs."""
    index: PageFile
    """The document."""
    named: dict[str, PageFile]
    """What it loads, by name."""


def read_page() -> PageFiles:
    """Return the page's files.

    The document names all modules that it begins with, so that none of them is waited for twice,
    and none that a view fetches when it is first shown.
    """
    folder = files("aggregator.service.page").joinpath("static")
    bodies = {each.name: each.read_bytes() for each in folder.iterdir()}
    hashed = hashlib.sha256()
    for name, body in sorted(bodies.items()):
        hashed.update(f"{name} {len(body)}\n".encode() + body)
    version = hashed.hexdigest()[:16]
    preloads = "\n".join(
        f'<link rel="modulepreload" href="page/{version}/{name}">'
        for name in sorted(_begun_with(bodies) - {_APP})
    )
    document = Template(bodies.pop(_INDEX).decode()).substitute(version=version, preloads=preloads)
    return PageFiles(
        version=version,
        index=_packed(document.encode(), "text/html; charset=utf-8"),
        named={
            name: _packed(body, _TYPES[name[name.rindex(".") :]]) for name, body in bodies.items()
        },
    )


def _begun_with(bodies: dict[str, bytes]) -> set[str]:
    """Return the modules that the page begins with."""
    found: set[str] = set()
    ahead = [_APP]
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead += [each.decode() for each in _IMPORT.findall(bodies[name])]
    return found


def _packed(body: bytes, media_type: str) -> PageFile:
    return PageFile(body, gzip.compress(body, mtime=0), media_type)
