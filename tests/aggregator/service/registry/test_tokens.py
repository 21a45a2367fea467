"""Tokens: the secret is told once and kept nowhere."""

from pathlib import Path

import pytest

from aggregator.service.registry.bodies import HomeBody
from aggregator.service.registry.errors import RegistryAbsentError, RegistryInputError
from aggregator.service.registry.registry import Registry
from aggregator.service.registry.tokens import Token, TokenBook
from aggregator.service.registry.writing import Edit


def test_a_secret_finds_its_token_until_it_is_revoked(store):
    book = TokenBook(store)
    Registry(store).put("home-1", HomeBody(), Edit(who="anna", at_ms=1, version=None))
    made, secret = book.make("page", "home", home="home-1", who="anna", at_ms=10, expires_ms=100)

    expected = Token(
        id=made.id,
        name="page",
        scope="home",
        home="home-1",
        created_ms=10,
        expires_ms=100,
        revoked_ms=None,
    )
    assert (made, book.find(secret), book.all()) == (expected, expected, [expected])
    assert (made.valid(99), made.valid(100)) == (True, False)

    book.revoke(made.id, who="anna", at_ms=50)
    book.revoke(made.id, who="bert", at_ms=60)

    assert book.find(secret).revoked_ms == 50
    assert not book.find(secret).valid(51)


def test_the_secret_is_nowhere_in_the_store(sqlite_store, sqlite_url):
    _, secret = TokenBook(sqlite_store).make("page", "viewer", who="anna", at_ms=1)
    path = sqlite_url.removeprefix("sqlite:///")
    written = b"".join(Path(f"{path}{end}").read_bytes() for end in ("", "-wal"))

    assert b"make token" in written
    assert secret.encode() not in written
    assert secret.removeprefix("gridpact_").encode() not in written


@pytest.mark.parametrize("secret", ["", "gridpact_", "gridpact_x", "\udcff", "gridpact_\udcff"])
def test_what_is_no_secret_finds_nothing(sqlite_store, secret):
    assert TokenBook(sqlite_store).find(secret) is None


@pytest.mark.parametrize(
    ("name", "scope", "home", "says"),
    [
        ("a", "root", None, "scope 'root' is none of operator, viewer, home"),
        ("a", "viewer", "home-1", "scope 'viewer' with home 'home-1'"),
        ("a", "home", None, "scope 'home' with home None"),
        ("a", "home", "home-1", "home 'home-1' is unknown"),
        ("", "viewer", None, "its name is empty"),
        ("a\nb", "viewer", None, "not printable"),
    ],
)
def test_what_no_token_can_be_is_refused(sqlite_store, name, scope, home, says):
    with pytest.raises(RegistryInputError, match=says):
        TokenBook(sqlite_store).make(name, scope, home=home, who="anna", at_ms=1)


def test_an_unknown_token_cannot_be_revoked(sqlite_store):
    with pytest.raises(RegistryAbsentError, match=r"^token 'x' is unknown; "):
        TokenBook(sqlite_store).revoke("x", who="anna", at_ms=1)
