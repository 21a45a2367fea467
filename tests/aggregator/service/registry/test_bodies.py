"""What can be configured, and what cannot."""

import pytest
from pydantic import ValidationError

from aggregator.service.registry.bodies import DeviceBody, HomeBody, TariffBody

PERIOD = {"import_price_per_mwh": 1.0, "export_price_per_mwh": 1.0}


@pytest.mark.parametrize(
    ("shape", "given", "where"),
    [
        (HomeBody, {"zone": "Mars/Base"}, "zone"),
        (HomeBody, {"account": "0x12"}, "account"),
        (HomeBody, {"latitude_deg": 90.1}, "latitude_deg"),
        (HomeBody, {"longitude_deg": float("nan")}, "longitude_deg"),
        (HomeBody, {"name": "a\x00b"}, "name"),
        (HomeBody, {"name": "a\ud800b"}, "name"),
        (HomeBody, {"group_name": "a b"}, "group_name"),
        (HomeBody, {"colour": "red"}, "colour"),
        (DeviceBody, {"kind": "toaster"}, "kind"),
        (DeviceBody, {"kind": "meter", "capacity_wh": -1}, "capacity_wh"),
        (DeviceBody, {"kind": "meter", "power_max_w": float("inf")}, "power_max_w"),
        (DeviceBody, {"kind": "battery", "soc_min": 0.9, "soc_max": 0.1}, ""),
        (DeviceBody, {"kind": "meter", "settings": {"a": [1]}}, "settings"),
        (DeviceBody, {"kind": "meter", "settings": {"a": 2**63}}, "settings"),
        (TariffBody, {"terms": {"periods": []}}, "terms"),
        (TariffBody, {"terms": {"periods": [PERIOD | {"start_minute": 1440}]}}, "terms"),
        (TariffBody, {"terms": {"periods": [PERIOD | {"start_minute": 5}] * 2}}, "terms"),
    ],
)
def test_a_value_that_cannot_be_is_named(shape, given, where):
    with pytest.raises(ValidationError) as refused:
        shape(**given)

    assert str(refused.value.errors()[0]["loc"][0] if where else "") == where


def test_a_device_keeps_whether_a_setting_is_a_number_a_word_or_a_switch():
    told = {"a": True, "b": 1, "c": 1.5, "d": "1"}

    kept = DeviceBody(kind="meter", settings=told).model_dump()["settings"]

    assert {name: (value, type(value)) for name, value in kept.items()} == {
        name: (value, type(value)) for name, value in told.items()
    }
