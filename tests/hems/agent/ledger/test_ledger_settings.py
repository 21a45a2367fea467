"""The table [ledger]: what it takes, and what it refuses in one line."""

from dataclasses import replace
from pathlib import Path

import pytest

from devices.errors import DeviceConfigError
from devices.settings import read_settings
from hems.agent.ledger.settings import LedgerSettings

TABLE = {
    "url": "http://one:8545 https://two",
    "deployment_file": "fleet.json",
    "account": "0x" + 40 * "1",
    "keys": "keys",
}


def test_a_table_of_the_necessary_is_enough():
    found = read_settings(LedgerSettings, TABLE, where="home.toml [ledger]")
    assert found.urls == ["http://one:8545", "https://two"]
    assert found.deployment_file == Path("fleet.json")
    assert (found.report_s, found.fee_cap_wei, found.passphrase_file) == (900, None, None)
    assert replace(found, fee_cap_gwei=1.5).fee_cap_wei == 1_500_000_000


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"url": " "}, "url is empty; name a node, such as http://127.0.0.1:8545"),
        ({"report_s": 70}, "report_s is 70; give 60..900 seconds that divide 900"),
        ({"report_s": 1800}, "report_s is 1800; give 60..900 seconds that divide 900"),
        ({"hold_s": 0.0}, "hold_s is 0.0; give 1 or more"),
        ({"capacity_share": 1.5}, "capacity_share is 1.5; give 0..1"),
        (
            {"report_s": 60, "report_jitter_s": 58.0},
            "report_delay_s and report_jitter_s together reach the next report; shorten them",
        ),
    ],
)
def test_what_is_out_of_range_is_told_in_one_line(change, line):
    with pytest.raises(DeviceConfigError) as told:
        read_settings(LedgerSettings, {**TABLE, **change}, where="home.toml [ledger]")
    assert str(told.value) == f"home.toml [ledger]: {line}"
