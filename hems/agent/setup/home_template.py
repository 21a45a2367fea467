"""The home.toml that `gridpact agent init` writes: every table, with what it means."""

import json
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hems.agent.setup.init import NewHome

SERIAL: Final = "studer-xtender"
"""The driver whose device hangs on a serial line."""


def home_toml(home: "NewHome", *, account: str, tls: bool) -> str:
    """Return a configuration's text; what is not known yet is there as a comment.

    Parameters
    ----------
    home : NewHome
        The home.
    account : str
        Address of its key.
    tls : bool
        Whether a certificate was asked for.
    """
    return "\n".join(
        (
            _devices(home),
            _ratings(home),
            _decisions(home),
            _ledger(home, account),
            _broker(home, tls=tls),
        )
    )


def _devices(home: "NewHome") -> str:
    return f"""\
# One home's gateway. Powers are in W, energies in Wh, prices in the fleet's currency per MWh.
# Secrets stand in files of mode 600, or in the environment, never here. Relative paths start at
# this file's folder. After a change: gridpact agent check --config home.toml

[home]
name = {_text(home.name)}
device_id = {_text(home.device_id)}       # what the fleet's messages call this gateway
state_folder = "state"                # everything it remembers: keep it on a disk that stays

[battery]                             # gridpact device list; settings: docs/devices.md
driver = {_text(home.driver)}
{_address(home)}

# [meter]                             # only where another device is the meter
# driver = "sunspec"
# host = "192.168.1.30"

# [pv]                                # the sun's inverter, where it is a device of its own
# driver = "sunspec"
# host = "192.168.1.31"

# [load]                              # the load's own meter, where there is one
# driver = "sunspec"
# host = "192.168.1.32"

# [relay]                             # lets rules for the edge part the house from the grid
# inverter_w = 4000                   # what the inverter carries alone
# dwell_s = 600                       # from a switching to the next opening, at least
# openings_per_day = 20
"""


def _ratings(home: "NewHome") -> str:
    return f"""\
[storage]                             # the battery's ratings as plans take them
capacity_wh = {home.capacity_wh:g}
power_max_w = {home.power_max_w:g}                    # into or out of the cells
charge_efficiency = 0.95              # cells over terminals
discharge_efficiency = 0.95           # terminals over cells
soc_min = 0.05                        # plans keep to this window
soc_max = 1.0

[grid]                                # what the connection may carry
import_max_w = {home.import_max_w:g}
export_max_w = {home.export_max_w:g}                   # 0 where feeding in is not allowed
# pv_max_w = 6000                     # the panels' rating: a reading far beyond it is not believed
# export_by_hz = "50.2:1 50.2:0"      # share of it allowed at a frequency, as Hz:share points
# export_by_v = "253:1 253:0"         # and at the highest of the phases' voltages
"""


def _decisions(home: "NewHome") -> str:
    return f"""\
[controller]
kind = "mpc"                          # or "realtime-rules", "self-consumption"; for one place
                                      # "fuzzy", "soc-rules": decide_s = 600; with [dispatch]
                                      # "grid-target", "manual"
decide_s = 60                         # t_j: from a decision to the next
device_cycle_s = 2                    # from a reading of the devices to the next, 1..5

[tariff]
import_price_per_mwh = 250
export_price_per_mwh = 50
zone = {_text(home.zone)}
# [[tariff.window]]                   # the first window that holds is taken
# begin = "00:30"                     # local time; may go over midnight
# end = "04:30"
# days = "mon tue wed thu fri sat sun"
# import_price_per_mwh = 90

# [prices]                            # market prices; in [tariff] then: import_factor = 1.19 ...
# source = "energy-charts"            # or "file", "octopus", "elexon", "entsoe": docs/feeds.md
# area = "DE-LU"

# [history]
# keep_days = 60                      # of quarter-hours, for forecasts
"""


def _address(home: "NewHome") -> str:
    """Return where the battery is, in the words of its driver."""
    if home.driver == SERIAL:
        line = home.host if home.port is None else f"tcp://{home.host}:{home.port}"
        return f"""\
port = {_text(line)}               # of an Xcom-232i, or "tcp://HOST:PORT" of an Xcom-LAN
# feeds_grid = true                   # lets it discharge on purpose while on the grid"""
    port = "# port = 80" if home.port is None else f"port = {home.port}"
    return f"""\
host = {_text(home.host)}
{port}
# token_file = "battery.token\""""


def _ledger(home: "NewHome", account: str) -> str:
    lines = f"""\
[ledger]                              # without it the home keeps its energy to itself
url = {_text(home.ledger_url or "http://127.0.0.1:8545")}
deployment_file = {_text(home.deployment_file)}   # from the aggregator
account = {_text(account)}
keys = "keys"
passphrase_file = "keystore.passphrase"   # or GRIDPACT_PASSPHRASE in the environment
report_s = 900                        # t_sc: from a report to the next
"""
    return lines if home.ledger_url is not None else _commented(lines)


def _broker(home: "NewHome", *, tls: bool) -> str:
    files = """\
cert_file = "gateway.pem"             # gateway.csr, signed by the broker's authority
key_file = "gateway.key"
"""
    lines = f"""\
[broker]
host = {_text(home.broker_host or "broker.example.org")}
# ca_file = "ca.pem"                  # the broker's authority, where the computer does not know it
{files if tls else _commented(files)}\
# user = {_text(home.device_id)}
# password_file = "broker.password"

[telemetry]
sample_s = 15
period_s = 60                         # least, greatest, mean and last of each period are sent

[commands]
enabled = true                        # the broker's access list says who may command

[homeassistant]
enabled = false                       # true shows battery and earnings in Home Assistant
"""
    return lines if home.broker_host is not None else _commented(lines)


def _text(value: str) -> str:
    """Return a string as TOML writes it."""
    return json.dumps(value)


def _commented(lines: str) -> str:
    return "".join(
        line if line.startswith("#") or line == "\n" else f"# {line}"
        for line in lines.splitlines(keepends=True)
    )
