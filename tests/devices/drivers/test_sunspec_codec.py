"""Blocks of SunSpec registers: against the alliance's own Python library, by hand, and fuzzed."""

import struct

import numpy as np
import pytest
import sunspec2.device
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.drivers.sunspec_codec import Layout, compiled, decode_block, layout_of
from devices.errors import DeviceError, DeviceRefusedError, DeviceReplyError

FIXED = (1, 101, 102, 103, 111, 112, 113, 120, 121, 122, 123, 124, 201, 202, 203, 204)
NEW = (701, 702, 703, 704, 713, 715, 802)
HOLD = (124, 24, 5000, 100, 100, 3, 0xFFFF, 500, 5550, 0xFFFF, 0xFFFF, 6, 0xEC78, 5000, 0, 60, 0)
BLOCK_124 = (*HOLD, 1, 0, 0, 0x8000, 0xFFFE, 0xFFFE, 0x8000, 0x8000, 0xFFFE)


def by_the_alliance(registers):
    """Return scaled values as the alliance's own library decodes them."""
    octets = struct.pack(f">{len(registers)}H", *registers)
    model = sunspec2.device.Model(registers[0], data=octets)
    found = {name: point.cvalue for name, point in model.points.items()}
    for name, group in model.groups.items():
        several = group if isinstance(group, list) else [group]
        for index, each in enumerate(several):
            place = f"{name}[{index}]" if isinstance(group, list) else name
            found |= {f"{place}.{key}": point.cvalue for key, point in each.points.items()}
    return found


def test_a_storage_block_decodes_to_what_was_worked_out_by_hand():
    values = decode_block(BLOCK_124)

    assert {name: value for name, value in values.items() if value is not None} == {
        "ID": 124,
        "L": 24,
        "WChaMax": 5000,
        "WChaGra": 100,
        "WDisChaGra": 100,
        "StorCtl_Mod": 3,
        "MinRsvPct": 5.0,
        "ChaState": 55.5,
        "ChaSt": 6,
        "OutWRte": -50.0,
        "InWRte": 50.0,
        "InOutWRte_WinTms": 0,
        "InOutWRte_RvrtTms": 60,
        "InOutWRte_RmpTms": 0,
        "ChaGriSet": 1,
        "WChaMax_SF": 0,
        "WChaDisChaGra_SF": 0,
        "MinRsvPct_SF": -2,
        "ChaState_SF": -2,
        "InOutWRte_SF": -2,
    }
    assert compiled(124, 26).encode(values) == BLOCK_124


@pytest.mark.parametrize("model_id", [*FIXED, *NEW])
def test_values_are_those_of_the_alliances_own_library(model_id):
    rng = np.random.default_rng(model_id)
    full = compiled(model_id, 250)
    registers = [int(word) for word in rng.integers(0, 2**15, full.size)]
    registers[:2] = [model_id, full.size - 2]
    for point in full.points.values():
        if point.kind == "sunssf":
            registers[point.offset] = int(rng.integers(-4, 5)) & 0xFFFF
        if point.kind == "string":
            text = b"maker 7".ljust(2 * point.size, b"\0")
            registers[point.offset : point.offset + point.size] = struct.unpack(
                f">{point.size}H", text
            )

    ours, theirs = decode_block(registers), by_the_alliance(registers)

    numbers = {key for key, value in theirs.items() if isinstance(value, int | float)}
    assert len(numbers) > 3
    assert {key: ours[key] for key in numbers} == pytest.approx(
        {key: theirs[key] for key in numbers}, rel=1e-12
    )
    assert {key for key, value in ours.items() if value is None} >= {
        key for key, value in theirs.items() if value is None and key in ours
    }


@pytest.mark.parametrize("model_id", [*FIXED, *NEW])
def test_markers_of_every_type_mean_not_implemented(model_id):
    layout = compiled(model_id, 250)

    registers = layout.encode({})

    assert set(layout.decode(registers).values()) == {None}
    octets = struct.pack(f">{layout.size}H", *registers)
    theirs = sunspec2.device.Model(
        model_id, data=struct.pack(">HH", model_id, layout.size - 2) + octets[4:]
    )
    kinds = {name: point.pdef["type"] for name, point in theirs.points.items()}
    assert {
        name
        for name, point in theirs.points.items()
        if point.value is not None and name not in ("ID", "L") and kinds[name] != "pad"
    } == set()


def test_repeating_groups_are_laid_out_as_often_as_the_block_says():
    ports = layout_of([714, 93, 0, 0, 3, *[0] * 90])
    curves = layout_of([705, 45, 0, 0, 0, 3, 2, *[0] * 40])
    trackers = layout_of([160, 48, *[0] * 48])

    assert [name for name in ports.points if name.endswith("DCW")] == [
        "DCW",
        "Prt[0].DCW",
        "Prt[1].DCW",
        "Prt[2].DCW",
    ]
    assert "Crv[1].Pt[2].Var" in curves.points
    assert "Crv[1].Pt[3].Var" not in curves.points
    assert [name for name in trackers.points if name.endswith("DCW")] == [
        "module[0].DCW",
        "module[1].DCW",
    ]
    assert ports.points["Prt[2].DCW"].offset == 18 + 2 * 25 + 14


def test_a_block_shorter_than_its_definition_decodes_as_far_as_it_goes():
    registers = [1, 65, *struct.unpack(">16H", b"SolarEdge ".ljust(32, b"\0")), *[0] * 49]

    values = decode_block(registers)

    assert values["Mn"] == "SolarEdge"
    assert values["DA"] == 0
    assert "Pad" not in values


def test_a_scale_factor_outside_ten_is_no_value():
    broken = list(BLOCK_124)
    broken[22] = 11

    with pytest.raises(DeviceReplyError, match="scale factor of ChaState is 11"):
        decode_block(broken)


def test_a_value_that_does_not_fit_is_refused_and_so_is_one_that_means_nothing():
    layout, block = compiled(124, 26), decode_block(BLOCK_124)

    assert layout.encode_point("OutWRte", -12.34, block) == (-1234 & 0xFFFF,)
    for value in (400.0, -327.68, float("nan"), float("inf")):
        with pytest.raises(DeviceRefusedError, match="cannot hold"):
            layout.encode_point("OutWRte", value, block)
    with pytest.raises(DeviceRefusedError, match="has no number Mn"):
        layout.encode_point("Mn", 1, block)
    with pytest.raises(DeviceRefusedError, match="does not fit"):
        layout.encode({"WChaMax": 70_000})


def test_an_unpublished_model_is_refused():
    with pytest.raises(DeviceRefusedError, match="model 65234 has no published definition"):
        decode_block([65_234, 2, 0, 0])


@settings(max_examples=300)
@given(
    model_id=st.sampled_from((*FIXED, *NEW, 160, 705, 707, 714, 9999)),
    body=st.lists(st.integers(0, 2**16 - 1), max_size=160),
    length=st.integers(0, 2**16 - 1) | st.none(),
)
def test_random_registers_raise_nothing_but_device_errors(model_id, body, length):
    registers = [model_id, len(body) if length is None else length, *body]
    try:
        values = decode_block(registers)
        layout = layout_of(registers)
    except DeviceError:
        return
    assert layout.decode(registers) == pytest.approx(values, nan_ok=True)


@given(st.lists(st.integers(0, 2**16 - 1), min_size=26, max_size=26))
def test_what_decodes_encodes_back_to_the_same_registers(registers):
    layout = Layout(124, 26)
    try:
        values = layout.decode(registers)
    except DeviceReplyError:
        return

    assert layout.encode(values) == tuple(registers)
