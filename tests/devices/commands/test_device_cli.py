"""`gridpact device`: what a user types, against emulated devices in processes of their own."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from devices.registry import DRIVERS, EMULATORS
from devices.write_log import WriteLog
from scenarios.cli import main

GRIDPACT = [sys.executable, "-c", "from scenarios.cli import main; main()"]


def run(capsys, *arguments):
    """Return exit code, stdout and stderr of one command, in this process."""
    with pytest.raises(SystemExit) as left:
        main(["device", *(str(argument) for argument in arguments)])
    streams = capsys.readouterr()
    return left.value.code, streams.out, streams.err


def start(*arguments):
    return subprocess.Popen(
        [*GRIDPACT, "device", *(str(argument) for argument in arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end(process, how=signal.SIGINT):
    """Send a signal and return exit code, stdout and stderr."""
    process.send_signal(how)
    try:
        out, err = process.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return process.returncode, out, err


def table(process):
    """Return what an emulator prints, up to the empty line that ends it."""
    return "".join(iter(process.stdout.readline, "\n"))


@contextmanager
def emulated(folder, name, *options):
    """Run an emulated device; give a configuration that reaches it, as it prints it."""
    process = start("emulate", name, *options)
    try:
        path = folder / "home.toml"
        path.write_text(table(process))
        yield path
    finally:
        end(process)


@pytest.fixture(scope="module")
def sonnen(tmp_path_factory):
    with emulated(tmp_path_factory.mktemp("sonnen"), "sonnen-v2", "--soc", 0.6) as path:
        yield path


def state(capsys, path):
    code, out, err = run(capsys, "read", path, "--json")
    assert (code, err) == (0, "")
    return next(iter(json.loads(out).values()))


def test_what_the_readme_says_of_a_battery_works_as_printed(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    readme = Path(__file__).parents[3].joinpath("README.md").read_text().split("## Batteries")[1]
    lines = [
        line.split("#")[0].split() for line in readme.splitlines() if "gridpact device" in line
    ]
    _, emulate, read, steer = (line[2:] for line in lines)
    assert emulate[-2:] == [">", "home.toml"]
    assert steer[-2:] == ["--for", "60"]
    process = start(*emulate[:-2])
    try:
        Path("home.toml").write_text(table(process))

        told = run(capsys, *read)
        done = run(capsys, *steer[:-1], 1)
    finally:
        end(process)

    assert (told[0], told[2]) == (0, "")
    assert "discharges 500 W" in told[1]
    assert (done[0], done[2]) == (0, "")
    assert "discharges 1500 W, held at a set-point" in done[1]


def test_set_says_when_the_device_allows_less(capsys, sonnen):
    words = run(capsys, "set", sonnen, "battery", 99_999, "--for", 1)
    as_json = run(capsys, "set", sonnen, "battery", -99_999, "--for", 1, "--json")

    assert (words[0], as_json[0]) == (0, 0)
    first = words[1].splitlines()[0]
    assert re.fullmatch(r" +0 s battery: asked \+99999 W, the device allows \+\d{4} W", first)
    allowed_w = float(first.split()[-2])
    assert f"charges {allowed_w:.0f} W, held" in words[1]
    assert json.loads(as_json[1].splitlines()[0]) == {
        "name": "battery",
        "when": "0 s",
        "asked_w": -99_999.0,
        "limit_w": -allowed_w,
    }


def test_list_names_every_driver(capsys):
    _, out, _ = run(capsys, "list")
    _, as_json, _ = run(capsys, "list", "--json")

    assert all(name in out for name in DRIVERS)
    assert list(json.loads(as_json)) == list(DRIVERS)
    assert json.loads(as_json)["sonnen-v1"] == {
        "device": "sonnenBatterie eco 8, API v1",
        "does": ["battery", "meter"],
        "transport": "HTTP",
        "watchdog": "our dead-man process; the device keeps it for ever",
        "emulated": True,
    }


def test_read_tells_battery_and_meter(capsys, sonnen):
    code, out, err = run(capsys, "read", sonnen, "battery")

    assert (code, err) == (0, "")
    battery, meter = out.splitlines()
    assert battery.startswith("battery: 60.0 % charged, discharges 500 W, follows")
    assert meter == "battery meter: load 500 W, production 0 W, imports 0 W"


def test_read_as_json_is_one_object_of_every_device(capsys, sonnen):
    found = state(capsys, sonnen)

    assert found["driver"] == "sonnen-v2"
    powers = {"load_w": 500.0, "pv_w": 0.0, "grid_power_w": 0.0}
    assert found["meter"] == {**powers, "import_wh": None, "export_wh": None}
    assert found["battery"]["following"] is True


def test_set_holds_and_returns_to_self_consumption(capsys, sonnen):
    code, out, err = run(capsys, "set", sonnen, "battery", -800, "--for", 2)

    assert (code, err) == (0, "")
    assert "discharges 800 W, held at a set-point" in out
    assert out.splitlines()[-1] == "done battery: the battery is back in self-consumption"
    assert state(capsys, sonnen)["battery"]["following"] is True
    with WriteLog(sonnen.with_suffix(".writes.sqlite")) as log:
        counted = log.counts("battery", datetime.now(UTC).date())
    assert counted["setpoint/discharge"] >= 1
    assert counted["OperatingMode"] >= 2


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_the_battery_in_self_consumption(capsys, sonnen, how):
    _hold_until(how, sonnen)

    found = state(capsys, sonnen)["battery"]
    assert (found["following"], found["battery_power_w"]) == (True, -500.0)


@pytest.mark.parametrize("name", ["abb-react2", "solaredge", "studer-xtender", "sunspec"])
def test_a_signal_leaves_every_make_in_self_consumption(capsys, tmp_path, name):
    with emulated(tmp_path, name) as path:
        _hold_until(signal.SIGTERM, path)

        found = state(capsys, path)["battery"]
        assert found["following"] is True
        assert found["battery_power_w"] == pytest.approx(-500.0, abs=10.0)


def _hold_until(how, path):
    """Charge until a signal comes; the command is to say that it let go."""
    process = start("set", path, "battery", 1500, "--for", 600)
    line = process.stdout.readline()
    assert "charges 1" in line
    assert "held at a set-point" in line

    code, out, err = end(process, how)

    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == "stopped battery: the battery is back in self-consumption"


def test_a_signal_while_the_set_point_is_on_its_way_leaves_self_consumption(capsys, sonnen):
    process = start("set", sonnen, "battery", 1200, "--for", 600)
    deadline_s = time.monotonic() + 20
    while state(capsys, sonnen)["battery"]["following"] and time.monotonic() < deadline_s:
        pass

    assert end(process, signal.SIGTERM)[0] == 0
    assert state(capsys, sonnen)["battery"]["following"] is True


def test_set_read_only_writes_nothing(capsys, sonnen, tmp_path):
    log = tmp_path / "log.sqlite"
    code, out, err = run(
        capsys, "set", sonnen, "battery", 700, "--for", 5, "--read-only", "--log", log
    )

    assert (code, out) == (1, "")
    assert "open for reading only" in err
    assert len(err.splitlines()) == 1
    with WriteLog(log) as counted:
        assert counted.counts("battery", datetime.now(UTC).date()) == {}


def test_watch_goes_on_until_it_is_stopped(sonnen):
    process = start("read", sonnen, "--json", "--watch", 0.1)
    lines = [process.stdout.readline() for _ in range(3)]

    code, _, err = end(process)

    assert (code, err) == (0, "")
    assert [list(json.loads(line)) for line in lines] == [["battery"]] * 3


def test_a_charger_is_emulated_read_and_limited(capsys, tmp_path):
    with emulated(tmp_path, "ocpp-charger") as path:
        code, out, err = run(capsys, "set", path, "car", 6000, "--for", 1, "--json")

        assert (code, err) == (0, "")
        told, last = (json.loads(line) for line in out.splitlines())
        assert told["charger"]["limit_w"] == 6_000.0
        assert last == {"name": "car", "when": "done"}
        assert "car takes 11000 W" in run(capsys, "read", path)[1]


def test_a_signal_lets_the_car_have_what_it_wants(capsys, tmp_path):
    with emulated(tmp_path, "ocpp-charger") as path:
        process = start("set", path, "car", 6000, "--for", 600)
        assert "at most 6000 W" in process.stdout.readline()

        code, out, err = end(process, signal.SIGTERM)

        assert (code, err) == (0, "")
        assert out.splitlines()[-1] == "stopped car: the car may take what it wants"
        assert state(capsys, path)["charger"]["limit_w"] is None


def test_a_service_that_tells_nothing_is_steered_and_says_so(capsys, tmp_path):
    with emulated(tmp_path, "solaredge-grid-services") as path:
        code, out, err = run(capsys, "set", path, "battery", 900, "--for", 1)
        told = run(capsys, "read", path)

    assert told[0] == 1
    assert "takes set-points and tells nothing of its device" in told[2]
    assert (code, err) == (0, "")
    assert out.splitlines()[-1].endswith("the battery is back in self-consumption")


def test_an_emulator_with_faults_counts_them(tmp_path):
    process = start("emulate", "sunspec", "--fault", 1.0, "--seed", 3, "--pv-w", 900)
    path = tmp_path / "home.toml"
    path.write_text(table(process))
    reader = subprocess.run(
        [*GRIDPACT, "device", "read", path], capture_output=True, check=False, text=True, timeout=60
    )

    code, _, err = end(process)

    assert code == 0
    assert "faults: {'" in err
    assert reader.returncode == 1
    assert reader.stderr.splitlines()[-1].startswith("gridpact: battery of ")


def test_probe_names_the_device_at_an_address(capsys, tmp_path):
    with emulated(tmp_path, "sunspec") as path:
        port = next(
            line.split("=")[1].strip()
            for line in path.read_text().splitlines()
            if line.startswith("port")
        )

        code, out, err = run(capsys, "discover", "--probe", f"127.0.0.1:{port}", "--json")

    assert (code, err) == (0, "")
    (found,) = json.loads(out)
    assert found["port"] == int(port)
    assert 1 in found["models"]


def test_a_device_that_is_not_there_is_told_and_the_others_are_read(capsys, sonnen, tmp_path):
    path = tmp_path / "two.toml"
    path.write_text(
        "[gone]\ndriver = 'sonnen-v2'\nhost = '127.0.0.1'\nport = 1\n" + sonnen.read_text()
    )

    code, out, err = run(capsys, "read", path)

    assert code == 1
    assert "battery: " in out
    assert err.splitlines()[0] == (
        "gone GET /api/v2/status: no connection (refused); see host, port and network"
    )
    assert err.splitlines()[1].startswith("gridpact: gone of ")


@pytest.mark.parametrize(
    "arguments",
    [
        ("set", "home.toml", "a", "100"),
        ("set", "home.toml", "a", "nan", "--for", "5"),
        ("set", "home.toml", "a", "100", "--for", "-1"),
        ("read", "home.toml", "--watch", "0"),
        ("emulate", "nothing"),
        ("emulate", "sonnen-v2", "--load-w", "-1"),
        ("emulate", "sonnen-v2", "--soc", "2"),
        ("discover", "--probe", "127.0.0.1:x"),
        ("discover", "--probe", "127.0.0.1:99999"),
    ],
)
def test_wrong_use_is_code_2(capsys, arguments):
    code, out, err = run(capsys, *arguments)

    assert (code, out) == (2, "")
    assert "Error: " in err


def test_emulate_in_this_process_prints_its_table_and_counts(capsys, tmp_path):
    script = tmp_path / "stop.py"
    script.write_text("import os, signal, sys; os.kill(int(sys.argv[1]), signal.SIGINT)")
    later = f"import time; time.sleep(0.5); exec(open({str(script)!r}).read())"
    with subprocess.Popen([sys.executable, "-c", later, str(os.getpid())]):
        code, out, err = run(capsys, "emulate", "sonnen-v1", "--fault", 0.5, "--soc", 1)

    assert code == 0
    assert out.splitlines()[:2] == ["[battery]", 'driver = "sonnen-v1"']
    assert err.splitlines() == ["emulating; Ctrl-C ends it", "writes: {}; faults: {}"]


def test_probe_in_words_and_a_probe_of_nothing(capsys, tmp_path):
    with emulated(tmp_path, "sunspec") as path:
        port = int(path.read_text().partition("port = ")[2].split()[0])
        told = run(capsys, "discover", "--probe", f"127.0.0.1:{port}")
    gone = run(capsys, "discover", "--probe", "[127.0.0.1]:1")

    assert told[0] == 0
    assert f"at 127.0.0.1:{port} unit 1: models 1, " in told[1]
    assert gone[0] == 1
    assert len(gone[2].splitlines()) == 1


def test_a_port_that_is_taken_is_one_line(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, _, err = run(capsys, "emulate", "sonnen-v2", "--port", port)

    assert code == 1
    assert err.startswith("gridpact: ")
    assert len(err.splitlines()) == 1


def test_help_explains_units_and_signs(capsys):
    for command in ("read", "set"):
        _, out, _ = run(capsys, command, "--help")

        assert "positive charges, negative" in out


def test_every_driver_can_be_emulated():
    assert set(EMULATORS) == set(DRIVERS)
