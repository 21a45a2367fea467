"""X-Digest against RFC 2617's example, and headers as loggers and their clients send them."""

from hypothesis import given
from hypothesis import strategies as st

from devices.drivers.react2_digest import (
    Challenge,
    XDigest,
    digest,
    parse_challenge,
    parse_digest,
    response,
)


def test_response_is_that_of_rfc_2617():
    """RFC 2617, §3.5."""
    challenge = Challenge(
        realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", qop="auth"
    )

    assert (
        response(
            challenge,
            digest(["Mufasa", "testrealm@host.com", "Circle Of Life"]),
            method="GET",
            uri="/dir/index.html",
            nc="00000001",
            cnonce="0a4f113b",
        )
        == "6629fae49393a05397450978507c4ef1"
    )


def test_a_header_as_a_client_of_a_vsn300_sends_it_is_parsed():
    header = (
        'X-Digest username="guest", realm="registered_user@power-one.com", nonce="a7", '
        'uri="/v1/livedata", qop=auth, nc=00000002, cnonce="ddf4bfcaf87acba9", response="00"'
    )

    assert parse_digest(header) == {
        "username": "guest",
        "realm": "registered_user@power-one.com",
        "nonce": "a7",
        "uri": "/v1/livedata",
        "qop": "auth",
        "nc": "00000002",
        "cnonce": "ddf4bfcaf87acba9",
        "response": "00",
    }


def test_a_challenge_is_found_in_either_header_and_with_several_qualities():
    text = 'realm="r", nonce="n", qop="auth,auth-int"'
    found = Challenge(realm="r", nonce="n", qop="auth")

    assert parse_challenge({"www-authenticate": f"X-Digest {text}"}) == found
    assert parse_challenge({"x-digest": text}) == found
    assert parse_challenge({"www-authenticate": 'Basic realm="r"'}) is None
    assert parse_challenge({}) is None


def test_nothing_is_sent_unchallenged_then_counted_and_a_repeated_challenge_is_given_up():
    auth = XDigest(user="guest", password="secret", cnonce="c0")
    asked = {"www-authenticate": 'X-Digest realm="r", nonce="n", qop="auth"'}

    assert auth.headers("GET", "/x") == {}
    assert auth.challenged(asked)
    first, second = auth.headers("GET", "/x"), auth.headers("GET", "/x")
    assert first["Authorization"] == first["X-Digest"]
    assert parse_digest(first["X-Digest"])["nc"] == "00000001"
    assert parse_digest(second["X-Digest"])["nc"] == "00000002"
    assert not auth.challenged(asked)
    assert "secret" not in repr(auth) + str(first)


def test_a_challenge_without_quality_is_answered_in_the_old_form():
    auth = XDigest(user="u", password="p", cnonce="c0")
    auth.challenged({"www-authenticate": 'X-Digest realm="r", nonce="n"'})

    fields = parse_digest(auth.headers("GET", "/x")["X-Digest"])

    wanted = digest([digest(["u", "r", "p"]), "n", digest(["GET", "/x"])])
    assert fields["response"] == wanted
    assert "nc" not in fields


@given(st.text(max_size=80))
def test_random_headers_raise_nothing(text):
    parse_challenge({"www-authenticate": text, "x-digest": text})
