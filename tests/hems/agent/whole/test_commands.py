"""`gridpact agent`: what a user types, on real files, devices and processes."""

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from contracts.keystore import keystores, read_passphrase, unlock
from devices.drivers.xtender_settings import XtenderSettings
from devices.settings import read_settings
from hems.agent.config import read_config
from scenarios.cli import main

GRIDPACT = [sys.executable, "-c", "from scenarios.cli import main; main()"]
LONG_S = 60.0
KNOWN = {
    "--name": "Maria's home",
    "--device-id": "home-1",
    "--driver": "sonnen-v2",
    "--host": "192.168.1.20",
    "--capacity-wh": "10000",
    "--power-max-w": "4600",
    "--import-max-w": "13800",
    "--export-max-w": "5000",
}


@pytest.fixture
def agent(capsys):
    """Return a function that runs one command and returns what it printed, or its complaint."""

    def run(*arguments, code=0):
        with pytest.raises(SystemExit) as left:
            main(["agent", *(str(argument) for argument in arguments)])
        streams = capsys.readouterr()
        assert left.value.code == code, streams.err
        if code:
            assert streams.err.count("\n") == 1
        return (streams.out, streams.err) if code else streams.out

    return run


def options(**changes):
    given = {**KNOWN, **{f"--{name.replace('_', '-')}": value for name, value in changes.items()}}
    return [part for pair in given.items() for part in pair]


@pytest.fixture
def emulated():
    """Run the emulated battery of `gridpact device emulate`; give its table."""
    process = subprocess.Popen(
        [*GRIDPACT, "device", "emulate", "sonnen-v2", "--pv-w", "1200"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield "".join(iter(process.stdout.readline, "\n"))
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(LONG_S)
        process.stdout.close()


def test_the_overview_names_every_command(agent):
    shown = agent("--help")

    assert all(name in shown for name in ("init", "check", "run", "status"))


def test_init_writes_what_the_agent_reads_and_keeps_its_secrets(agent, tmp_path):
    folder = tmp_path / "home"
    asked = options(
        broker_host="broker.example.org", ledger_url="http://127.0.0.1:8545", port="8081"
    )
    said = agent("init", "--folder", folder, *asked)
    config = read_config(folder / "home.toml")
    (key,) = keystores(folder / "keys")
    passphrase = read_passphrase(folder / "keystore.passphrase")
    request = x509.load_pem_x509_csr((folder / "gateway.csr").read_bytes())
    secret = (folder / "gateway.key").read_text()

    assert (config.home.name, config.ledger.account) == ("Maria's home", key.address)
    assert config.places.battery == {"driver": "sonnen-v2", "host": "192.168.1.20", "port": 8081}
    assert config.ledger.passphrase() == passphrase
    assert unlock(key, passphrase).address == key.address
    assert config.courier.broker.key_file == folder / "gateway.key"
    assert request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "home-1"
    assert request.is_signature_valid
    assert "PRIVATE KEY" in secret
    for name in ("keystore.passphrase", "gateway.key"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    assert key.address in said
    everything = said + (folder / "home.toml").read_text()
    assert passphrase not in everything
    assert secret.splitlines()[1] not in everything


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"host": "/dev/ttyUSB0"}, "/dev/ttyUSB0"),
        ({"host": "192.168.1.9", "port": "4001"}, "tcp://192.168.1.9:4001"),
    ],
)
def test_init_gives_an_xtender_its_serial_line(agent, tmp_path, given, line):
    folder = tmp_path / "home"
    agent("init", "--folder", folder, *options(driver="studer-xtender", **given))

    battery = read_config(folder / "home.toml").places.battery
    assert battery == {"driver": "studer-xtender", "port": line}
    assert read_settings(XtenderSettings, {"port": battery["port"]}, where="").port == line


def test_init_leaves_out_what_is_not_known_and_never_overwrites(agent, tmp_path):
    folder = tmp_path / "home"
    agent("init", "--folder", folder, *options())
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    config = read_config(folder / "home.toml")
    _, complaint = agent("init", "--folder", folder, *options(), code=1)

    assert (config.ledger, config.courier) == (None, None)
    assert not (folder / "gateway.key").exists()
    assert "home.toml is there already; nothing is overwritten" in complaint
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_init_refuses_what_the_agent_would_before_it_writes(agent, tmp_path):
    folder = tmp_path / "home"
    _, complaint = agent("init", "--folder", folder, *options(device_id="home 1"), code=1)

    assert "device_id is 'home 1'" in complaint
    assert not folder.exists()


def test_every_line_that_init_leaves_as_a_comment_can_be_used(agent, tmp_path):
    folder = tmp_path / "home"
    agent("init", "--folder", folder, *options())
    lines = (folder / "home.toml").read_text().splitlines()
    used = [line.removeprefix("# ") if " = " in line or "[" in line else line for line in lines]
    (folder / "home.toml").write_text("\n".join(used))
    config = read_config(folder / "home.toml")

    assert config.places.meter == {"driver": "sunspec", "host": "192.168.1.30"}
    assert len(config.tariff.windows) == 1
    assert config.history.keep_days == 60
    assert config.grid.pv_max_w == 6_000
    assert config.courier.broker.user == "home-1"


def test_check_reaches_what_is_there_and_says_what_is_not(agent, tmp_path, written, emulated):
    config = written(emulated)
    found = json.loads(agent("check", "--config", config.path, "--json"))
    said = agent("check", "--config", config.path)

    assert [(each["thing"], each["ok"]) for each in found] == [
        ("state folder", True),
        ("battery", True),
        ("meter", True),
    ]
    assert said.count("ok    ") == 3
    assert "production 1200 W" in said


def test_check_names_everything_that_is_wrong(agent, written, tmp_path, emulated):
    deployment = {
        "chain_id": 1,
        "interval_s": 900,
        **dict.fromkeys(("owner", "fleet", "settlement", "token"), "0x" + 40 * "1"),
    }
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "1.json").write_text(json.dumps(deployment))
    ledger = (
        '[ledger]\nurl = "http://127.0.0.1:1"\ndeployment_file = "1.json"\nkeys = "keys"\n'
        'account = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"\n'
    )
    broker = '[broker]\nhost = "127.0.0.1"\nport = 1\ntls = false\n'
    config = written(emulated, ledger, broker)
    text = config.path.read_text().replace("capacity_wh = 10000", "capacity_wh = 20000")
    config.path.write_text(text)
    out, complaint = agent("check", "--config", config.path, code=1)
    wrong = [line.split(":")[0] for line in out.splitlines() if line.startswith("WRONG")]

    assert wrong == ["WRONG battery", "WRONG key", "WRONG ledger", "WRONG broker"]
    assert "[storage] capacity_wh is 20000, the battery says" in out
    assert "battery, key, ledger, broker will not do; see above" in complaint


def test_a_battery_that_is_away_is_a_finding(agent, written):
    config = written('[battery]\ndriver = "sonnen-v2"\nhost = "127.0.0.1"\nport = 1\n')
    out, _ = agent("check", "--config", config.path, code=1)

    assert "WRONG battery: battery GET /api/v2/status: no connection (refused)" in out


def test_status_without_an_agent_says_so(agent, written):
    config = written('[battery]\ndriver = "sonnen-v2"\nhost = "127.0.0.1"\n')
    _, complaint = agent("status", "--config", config.path, code=1)

    assert "no agent has run for this home yet" in complaint


def test_run_says_what_it_does_until_it_is_told_to_stop(agent, written, emulated):
    config = written(emulated)
    with subprocess.Popen(
        [*GRIDPACT, "agent", "run", "--config", config.path, "--json"],
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        first = json.loads(running.stderr.readline())
        for _ in range(200):  # the first decision is made when the devices have been read
            shown = subprocess.run(
                [*GRIDPACT, "agent", "status", "--config", config.path],
                capture_output=True,
                text=True,
                timeout=LONG_S,
                check=False,
            )
            if "meter: load" in shown.stdout:
                break
        _, complaint = agent("run", "--config", config.path, code=1)
        running.send_signal(signal.SIGTERM)
        _, rest = running.communicate(timeout=LONG_S)

    assert first["line"] == "Test: agent runs, mpc each 60 s, devices each 5 s"
    assert f"Test: agent runs (process {running.pid}); as of " in shown.stdout
    assert "meter: load 500 W, production 1200 W" in shown.stdout
    assert "asked of the battery: follow the house" in shown.stdout
    assert f"(process {running.pid}); stop that one first" in complaint
    assert json.loads(rest.splitlines()[-1])["line"].startswith("Test: stopped, the battery is")
    assert running.returncode == 0


def test_a_ledger_without_its_address_file_is_one_line(agent, written):
    config = written(
        '[battery]\ndriver = "sonnen-v2"\nhost = "127.0.0.1"\n'
        '[ledger]\nurl = "http://127.0.0.1:1"\ndeployment_file = "1.json"\nkeys = "keys"\n'
        'account = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"\n'
    )
    _, complaint = agent("run", "--config", config.path, code=1)

    assert "no deployment at" in complaint


HEAVY = {
    "pyomo",
    "pandas",
    "sklearn",
    "scipy",
    "numba",
    "pyarrow",
    "matplotlib",
    "plotly",
    "web3",
    "eth_account",
    "paho",
    "aiomqtt",
    "zeroconf",
    "highspy",
    "cryptography",
}


def test_a_start_imports_nothing_heavy_and_is_quick():
    code = (
        "import time; begin = time.perf_counter()\n"
        "import hems.agent.cli, hems.agent.commands.run\n"
        "spent = time.perf_counter() - begin\n"
        "import sys, json\n"
        "print(json.dumps([spent, sorted({name.split('.')[0] for name in sys.modules})]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=LONG_S,
        cwd=Path(__file__).parents[4],
        env={**os.environ, "PYTHONPATH": ""},
    )
    spent, loaded = json.loads(done.stdout)

    assert HEAVY.isdisjoint(loaded)
    assert spent < 20.0  # a tenth of it here; the 2 s are measured by `bench agent`
