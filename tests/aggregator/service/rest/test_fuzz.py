"""The description is kept to: no server error, no answer that it does not name."""

import httpx

from scenarios.bench.service_rest_fuzz import fuzz_rest

EXAMPLES = 4


def test_requests_of_every_kind_are_answered_as_described(serving, new_parts, populate):
    parts = new_parts()
    secrets, _ = populate(parts)

    with serving(parts) as url:
        description = httpx.get(f"{url}/openapi.json", verify=False).json()
        found = fuzz_rest(url, description, secrets["operator"], examples=EXAMPLES)

    assert found.operations == sum(len(path) for path in description["paths"].values()) - 2
    assert set(found.statuses) >= {200, 202, 204, 404, 422, 428}
