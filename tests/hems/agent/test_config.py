"""home.toml: read whole, or refused in one line that says where and what to do."""

from pathlib import Path

import pytest

from devices.errors import DeviceError
from devices.feeds.settings import PriceSettings
from hems.agent.config import read_config
from hems.agent.settings import ControllerSettings, HomeSettings, StorageSettings
from hems.agent.steering.relay import RelaySettings
from hems.agent.steering.tariff import TariffWindow
from hems.errors import AgentConfigError

WHOLE = """
[home]
name = "Maria"
device_id = "home-1"
state_folder = "state"

[battery]
driver = "sonnen-v2"
host = "192.168.1.20"
token_file = "sonnen.token"

[storage]
capacity_wh = 10000
power_max_w = 4600.5

[grid]
import_max_w = 13800
export_max_w = 5000
pv_max_w = 6000

[tariff]
import_price_per_mwh = 250
export_price_per_mwh = 50
zone = "Europe/Rome"

[[tariff.window]]
begin = "23:00"
end = "05:00"
import_price_per_mwh = 90

[ledger]
url = "http://127.0.0.1:8545"
deployment_file = "31337.json"
account = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"
keys = "keys"

[broker]
host = "broker.example.org"
ca_file = "/etc/ssl/ca.pem"
"""


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "home.toml"
        path.write_text(text, "utf-8")
        return path

    return write


def test_a_whole_file_is_read_and_its_paths_start_at_its_folder(written, tmp_path):
    config = read_config(written(WHOLE))

    assert config.home == HomeSettings(
        name="Maria", device_id="home-1", state_folder=tmp_path / "state"
    )
    assert config.places.battery == {
        "driver": "sonnen-v2",
        "host": "192.168.1.20",
        "token_file": str(tmp_path / "sonnen.token"),
    }
    assert config.places.meter is None
    assert config.storage == StorageSettings(capacity_wh=10_000.0, power_max_w=4_600.5)
    assert config.controller == ControllerSettings()
    assert config.tariff.fixed.zone == "Europe/Rome"
    assert config.tariff.windows == (
        TariffWindow(begin="23:00", end="05:00", import_price_per_mwh=90.0),
    )
    assert (config.grid.import_max_w, config.grid.export_max_w) == (13_800.0, 5_000.0)
    assert config.grid.pv_max_w == 6_000.0
    assert config.ledger.deployment_file == tmp_path / "31337.json"
    assert config.courier.broker.ca_file == Path("/etc/ssl/ca.pem")


def test_ledger_and_broker_may_be_left_out(written):
    config = read_config(written(WHOLE[: WHOLE.index("[ledger]")]))

    assert (config.ledger, config.courier) == (None, None)


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ("[home]", "[hom]", "hom is no table of a gateway; it has home, battery, meter, storage"),
        ("[home]", "spare = 1\n[home]", "spare is no table of a gateway"),
        ("[battery]", "[meter]", "home.toml has no .battery.; add it, with its driver"),
        ('driver = "sonnen-v2"', "", r'\[battery\] names no driver; add driver = "..."'),
        ("[storage]\ncapacity_wh = 10000", "[storage]", r"\[storage\]: capacity_wh is missing"),
        ("capacity_wh = 10000", "capacity_wh = 0", "capacity_wh of home 0 is 0, must be > 0"),
        ("power_max_w = 4600.5", "power_max_w = 0", "power_max_w is 0; give the battery's rated"),
        ("10000", "10000\nsoc_min = 1.5", r"home.toml \[storage\]: battery soc_max of home 0"),
        ("10000", "10000\nsoc_mim = 0.1", "soc_mim is no setting"),
        ('"home-1"', '"home 1"', "device_id is 'home 1'; give up to 64 letters"),
        ('"home-1"', "1", r"\[home\]: device_id is 1; give a text"),
        ('"Maria"', '" "', "name is empty"),
        ("import_max_w = 13800", "import_max_w = -1", r"\[grid\]: import_max_w is -1"),
        ("pv_max_w = 6000", "pv_max_w = 0", r"\[grid\]: pv_max_w is 0; give a rating > 0"),
        ("import_price_per_mwh = 250", "", r"\[tariff\]: import_price_per_mwh is missing"),
        ("[[tariff.window]]", "[tariff.window]", r"write \[\[tariff.window\]\] above each"),
        ('"23:00"', '"11pm"', r"\[\[tariff.window\]\] 1: begin is '11pm'"),
        ("[ledger]", "[ledger]\nreport_s = 7", "report_s is 7; give 60..900 seconds"),
        ("[broker]\nhost", "[telemetry]\nsample_s", r"\[telemetry\] needs a broker"),
        ("[ledger]", '[controller]\nkind = "pid"\n[ledger]', "kind is 'pid'; give one of mpc,"),
        ("[ledger]", "[controller]\ndecide_s = 1\n[ledger]", "decide_s is 1; give 5..900"),
        ("[ledger]", "[controller]\ndevice_cycle_s = 9\n[ledger]", "9; give 1..5 seconds"),
        ("[ledger]", "[controller]\ndecide_s = 60.5\n[ledger]", "60.5; give a whole number"),
    ],
)
def test_what_cannot_be_used_is_one_line_with_place_and_remedy(written, before, after, complaint):
    assert before in WHOLE
    path = written(WHOLE.replace(before, after, 1))

    with pytest.raises(AgentConfigError, match=complaint) as left:
        read_config(path)
    assert "\n" not in str(left.value)
    assert not isinstance(left.value, DeviceError)


@pytest.mark.parametrize("name", ["home", "storage", "grid", "tariff"])
def test_a_table_that_is_missing_is_named(written, name):
    begin = WHOLE.index(f"[{name}]")
    end = WHOLE.find("\n[", begin)
    while WHOLE[end + 1 : end + 3] == "[[":
        end = WHOLE.find("\n[", end + 1)
    with pytest.raises(AgentConfigError, match=rf"home.toml has no \[{name}\]"):
        read_config(written(WHOLE[:begin] + WHOLE[end + 1 :]))


def test_a_file_that_is_not_there_or_no_toml_is_one_line(written, tmp_path):
    with pytest.raises(AgentConfigError, match=r"none\.toml cannot be read .*agent init"):
        read_config(tmp_path / "none.toml")
    with pytest.raises(AgentConfigError, match=r"home\.toml is no TOML"):
        read_config(written("[home"))


EDGE = """
[controller]
kind = "fuzzy"

[pv]
driver = "sunspec"
host = "192.168.1.31"

[load]
driver = "sunspec"
serial = "/dev/ttyUSB1"

[relay]
inverter_w = 4000

[prices]
source = "entsoe"
area = "10Y1001A1001A82H"
key_file = "entsoe.key"
"""


def test_the_tables_of_the_edge_are_read_and_its_rules_decide_each_ten_minutes(written):
    path = written(WHOLE + EDGE)
    config = read_config(path)
    plain = read_config(written(WHOLE))

    assert config.controller == ControllerSettings(kind="fuzzy", decide_s=600)
    assert config.places.optional == ("pv", "load", "relay")
    assert config.places.load == {"driver": "sunspec", "serial": "/dev/ttyUSB1"}
    assert config.relay == RelaySettings(inverter_w=4000.0)
    assert config.prices == PriceSettings(
        source="entsoe", area="10Y1001A1001A82H", key_file=path.parent / "entsoe.key"
    )
    assert (plain.places.optional, plain.relay, plain.prices) == ((), None, None)


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ('kind = "fuzzy"', 'kind = "fuzy"', "kind is 'fuzy'; give one of mpc, .*, soc-rules"),
        ('kind = "fuzzy"', 'kind = "fuzzy"\ndecide_s = 901', "decide_s is 901; give 5..900"),
        ("inverter_w = 4000", "inverter_w = 0", r"\[relay\]: inverter_w is 0"),
        ("inverter_w = 4000", "", r"\[relay\]: inverter_w is missing; give it"),
        ('[load]\ndriver = "sunspec"', "[load]", r"\[load\] names no driver"),
        ('source = "entsoe"', 'source = "epex"', r"\[prices\]: source is 'epex'; give one of file"),
        ('key_file = "entsoe.key"', "", r"\[prices\]: key_file is missing for source 'entsoe'"),
    ],
)
def test_what_is_wrong_at_the_edge_is_one_line_with_place_and_remedy(
    written, before, after, complaint
):
    assert before in EDGE
    path = written(WHOLE + EDGE.replace(before, after, 1))

    with pytest.raises(AgentConfigError, match=complaint) as left:
        read_config(path)
    assert len(str(left.value).splitlines()) == 1
