"""The description is kept to: no server error, no answer that it does not name, no broken row."""

from collections import Counter

import httpx

from scenarios.bench.service_rest_fuzz import Fuzz, fuzz_rest
from scenarios.bench.service_rest_fuzz_rows import broken_rows

REQUESTS = 200
NAMES = {"home": ("home-1", "home-2"), "device": ("storage",), "number": ("1",)}


def test_requests_of_every_kind_are_answered_as_described(serving, new_parts, populate):
    parts = new_parts(whole=True)
    secrets, _ = populate(parts)

    with serving(parts) as url:
        described = httpx.get(f"{url}/openapi.json", verify=False).json()
        asked = Fuzz(
            base_url=url,
            description=described,
            secret=secrets["operator"],
            requests=REQUESTS,
            names=NAMES,
        )
        halves = [fuzz_rest(asked, part=part, parts=2) for part in (0, 1)]

    found = halves[0] + halves[1]
    assert found.failures == []
    assert len(found.statuses) == sum(map(len, described["paths"].values()))
    statuses = sum(found.statuses.values(), Counter())
    assert set(statuses) >= {200, 202, 204, 401, 404, 422, 428}
    assert found.requests >= REQUESTS * 0.9
    broken = broken_rows(parts.store)
    assert broken == dict.fromkeys(broken, 0)
