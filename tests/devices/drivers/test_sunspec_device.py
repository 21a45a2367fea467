"""The chain of a SunSpec device: found wherever it begins, read in few requests."""

import asyncio

import pytest

from devices.drivers.modbus_link import IllegalAddressError
from devices.drivers.sunspec_device import ModelPlace, SunSpecDevice, find_chain, merged
from devices.errors import (
    DeviceRefusedError,
    DeviceReplyError,
)


class Listed:
    """A link to registers in a list, that counts what it is asked."""

    name = "listed"

    def __init__(self, words, *, borders=()):
        self.words, self.borders, self.asked = words, borders, []

    async def read(self, address, count):
        self.asked.append((address, count))
        inside = all(address + i in self.words for i in range(count))
        if not inside or any(address < each < address + count for each in self.borders):
            raise IllegalAddressError("not there")
        return tuple(self.words[address + i] for i in range(count))


def chain(base, *models, end=True):
    words, at = {base: 0x5375, base + 1: 0x6E53}, base + 2
    for model_id, length in models:
        words |= dict.fromkeys(range(at, at + 2 + length), 0)
        words |= {at: model_id, at + 1: length}
        at += 2 + length
    return words | ({at: 0xFFFF, at + 1: 0} if end else {})


@pytest.mark.parametrize("base", [40_000, 0, 50_000])
@pytest.mark.parametrize("end", [True, False], ids=("end", "no end"))
def test_the_chain_is_found_wherever_it_begins(base, end):
    link = Listed(chain(base, (1, 65), (103, 50), (65_234, 3), end=end))

    assert asyncio.run(find_chain(link)) == (
        ModelPlace(model_id=1, address=base + 2, length=65),
        ModelPlace(model_id=103, address=base + 69, length=50),
        ModelPlace(model_id=65_234, address=base + 121, length=3),
    )


def test_a_device_without_the_sign_or_with_a_broken_chain_is_told():
    with pytest.raises(DeviceRefusedError, match="no SunSpec models at 40000, 0, 50000"):
        asyncio.run(find_chain(Listed({40_000: 1, 40_001: 2})))
    with pytest.raises(DeviceReplyError, match="breaks off at register 40069"):
        asyncio.run(find_chain(Listed(chain(40_000, (1, 65), (0, 5)))))


def test_spans_are_merged_into_the_fewest_requests():
    assert merged([(0, 52), (52, 80), (80, 106)]) == [(0, 106)]
    assert merged([(200, 323), (0, 100), (100, 126)]) == [(0, 100), (100, 126), (200, 323)]
    assert merged([(0, 10), (10, 20)], most=0) == [(0, 10), (10, 20)]


def test_a_device_that_refuses_reads_across_models_is_read_model_by_model():
    async def run():
        words = chain(40_000, (1, 65), (103, 50), (120, 26))
        link = Listed(words, borders=(40_069, 40_121))
        device = SunSpecDevice(link)
        await device.scan()
        link.asked.clear()
        found = await device.read_many((103, 120))
        await device.read_many((103, 120))
        return found.keys(), link.asked

    keys, asked = asyncio.run(run())

    apart = [(40_069, 52), (40_121, 28)]
    assert (list(keys), asked) == ([103, 120], [(40_069, 80), *apart, *apart])


def test_a_chain_that_has_moved_is_walked_anew():
    async def run():
        link = Listed(chain(40_000, (1, 65), (103, 50)))
        device = SunSpecDevice(link)
        await device.read(103)
        link.words = chain(40_000, (1, 66), (103, 50))
        with pytest.raises(DeviceReplyError, match="103 is no longer at 40069"):
            await device.read(103)
        return (await device.read(103))["ID"]

    assert asyncio.run(run()) == 103
