"""Too many requests are told when to come back."""

import httpx
import pytest

from aggregator.service.registry.audit import read_deeds
from aggregator.service.rest.limiter import RateLimiter, RateLimits, counted_address

FEW = RateLimits(member="3/hour", home="2/hour", stranger="4/hour", refused="2/hour")


@pytest.fixture
def ask(serving, new_parts, populate):
    parts = new_parts(limits=FEW)
    secrets, _ = populate(parts)
    with serving(parts) as url, httpx.Client(base_url=url, verify=False) as client:

        def get(path, who=None):
            headers = {"Authorization": f"Bearer {secrets[who]}"} if who in secrets else {}
            if who == "wrong":
                headers = {"Authorization": "Bearer gridpact_wrong"}
            return client.get(path, headers=headers)

        yield get, parts


def test_each_token_has_its_own_number_of_requests(ask):
    get, _ = ask

    assert [get("/api/me", "viewer").status_code for _ in range(4)] == [200, 200, 200, 429]
    assert [get("/api/me", "home-1").status_code for _ in range(3)] == [200, 200, 429]
    assert [get("/api/me", "operator").status_code for _ in range(3)] == [200, 200, 200]

    late = get("/api/me", "viewer")
    assert 1 <= int(late.headers["retry-after"]) <= 3600
    assert late.json()["detail"].startswith("more than 3/hour requests; wait ")
    assert late.headers["content-type"] == "application/problem+json"


def test_strangers_are_counted_by_their_address(ask):
    get, _ = ask

    assert [get("/health").status_code for _ in range(5)] == [200, 200, 200, 200, 429]


def test_who_guesses_is_not_heard_and_does_not_fill_the_audit_log(ask):
    get, parts = ask

    assert [get("/api/me", "wrong").status_code for _ in range(9)] == [401, 401] + [429] * 7
    deeds = read_deeds(parts.store, before=None, limit=99)
    assert [each.who for each in deeds if each.outcome == "refused"] == ["unknown", "unknown"]
    assert get("/api/me", "viewer").status_code == 200


def test_all_addresses_of_one_line_are_counted_together():
    given = ("192.0.2.1", "unknown", "2001:db8:1:2:3::4", "2001:db8:1:2::1", "fe80::1%eth0")

    assert [counted_address(each) for each in given] == [
        "192.0.2.1",
        "unknown",
        "2001:db8:1:2::/64",
        "2001:db8:1:2::/64",
        "fe80::/64",
    ]


def test_a_limit_tells_how_long_to_wait_and_holds_over_any_time():
    now_s = [0.0]
    limiter = RateLimiter(clock_s=lambda: now_s[0])

    assert [limiter.wait_s("2/hour", "a") for _ in range(3)] == [0, 0, 1800]
    assert limiter.wait_s("2/hour", "b") == 0
    now_s[0] = 1799.5
    assert limiter.wait_s("2/hour", "a") == 1
    now_s[0] = 1800.0
    assert [limiter.wait_s("2/hour", "a") for _ in range(2)] == [0, 1800]
    now_s[0] = 10_000.0
    assert [limiter.wait_s("2/hour", "a") for _ in range(3)] == [0, 0, 1800]


def test_who_has_used_nothing_is_forgotten_before_others():
    now_s = [0.0]
    limiter = RateLimiter(clock_s=lambda: now_s[0], most=2)
    assert [limiter.wait_s("1/minute", who) for who in "ab"] == [0, 0]
    now_s[0] = 61.0

    assert [limiter.wait_s("1/minute", who) for who in "cdc"] == [0, 0, 60]
