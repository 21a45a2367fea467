"""A controller that was killed: its dead-man returns the battery to self-consumption, once."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from devices.battery_model import BatteryModel
from devices.clock import SystemClock
from devices.commands.catalogue import CATALOGUE
from devices.dead_man import KEEPS_SET_POINTS, DeadMan, Order, carry_out, open_watched
from devices.emulators.faults import Fault, FaultPlan
from devices.emulators.house import EmulatedHome
from devices.emulators.sonnen import SonnenV2Emulator
from devices.errors import DeviceUnauthorisedError
from devices.hand_clock import HandClock
from devices.registry import DRIVERS, Site, open_device
from devices.write_log import WriteLog

GRIDPACT = [sys.executable, "-c", "from scenarios.cli import main; main()", "device"]
SOON_S = 20.0
"""Bound of a wait; what is waited for takes a second or two."""


def start(*arguments):
    return subprocess.Popen(
        [*GRIDPACT, *(str(each) for each in arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a group of its own, to be signalled as a terminal does
    )


@contextmanager
def emulated(folder, name):
    """Run an emulated device in a process of its own; give its configuration and it."""
    process = start("emulate", name)
    try:
        path = folder / "home.toml"
        table = "".join(iter(process.stdout.readline, "\n"))
        path.write_text(table.replace("[battery]", f"[{name}]"))
        yield path, process
    finally:
        process.kill()
        process.communicate()


def writes_of(emulator):
    """End an emulator and return the writes that it counts then."""
    emulator.send_signal(signal.SIGINT)
    _, err = emulator.communicate(timeout=SOON_S)
    return json.loads(re.search(r"writes: (\{.*?\});", err)[1].replace("'", '"'))


def holding(path, name, power_w=1500):
    """Run the command that holds a set-point; return it when the device holds."""
    process = start("set", path, name, power_w, "--for", 600)
    assert "held at a set-point" in process.stdout.readline()
    return process


def dead_man_of(process):
    """Return the number of a command's dead-man."""
    (pid,) = (
        int(each.name)
        for each in Path("/proc").iterdir()
        if each.name.isdecimal() and _is_dead_man(each, process.pid)
    )
    return pid


def _is_dead_man(process, parent):
    try:
        line = (process / "cmdline").read_bytes()
        told = (process / "status").read_text()
    except OSError:
        return False
    return b"dead_man_watch" in line and f"PPid:\t{parent}\n" in told


def seconds_until_following(path, name):
    """Return how long it takes until a device follows the house. [s]"""

    async def wait():
        begun_s = time.monotonic()
        with WriteLog() as log:
            site = Site(name=name, where="test", clock=SystemClock(), log=log, read_only=True)
            device = await open_device(tables(path)[name], site)
            try:
                async with asyncio.timeout(SOON_S):
                    while not (await device.battery.read()).following:  # noqa: ASYNC110
                        await asyncio.sleep(0.1)
            finally:
                await device.close()
        return time.monotonic() - begun_s

    return asyncio.run(wait())


def tables(path):
    return tomllib.loads(path.read_text())


@pytest.fixture
def _proc(left_out):
    if not Path("/proc/self/status").exists():
        left_out("/proc is needed to see processes")


def test_a_killed_controllers_battery_is_back_in_self_consumption_once(tmp_path):
    with emulated(tmp_path, "sonnen-v2") as (path, emulator):
        process = holding(path, "sonnen-v2")

        os.killpg(process.pid, signal.SIGKILL)  # whoever is in its group is killed as well
        took_s = seconds_until_following(path, "sonnen-v2")
        _, err = process.communicate(timeout=SOON_S)  # ends with the dead-man, who looks twice

        assert took_s < 10
        assert process.returncode == -signal.SIGKILL
        assert err == (
            f"gridpact dead-man: {path} [sonnen-v2] is back in self-consumption;"
            " its controller had died\n"
        )
        with WriteLog(path.with_suffix(".writes.sqlite")) as log:
            counted = log.counts("sonnen-v2", datetime.now(UTC).date())
        assert counted["OperatingMode"] == 2
        assert writes_of(emulator)["OperatingMode"] == 2


def test_a_killed_controllers_xtender_is_back_to_what_its_installer_saved(tmp_path):
    with emulated(tmp_path, "studer-xtender") as (path, _):
        process = holding(path, "studer-xtender")

        process.kill()

        _, err = process.communicate(timeout=SOON_S)  # two programs cannot share a serial line

        assert "is back in self-consumption" in err
        assert seconds_until_following(path, "studer-xtender") < 5


@pytest.mark.usefixtures("_proc")
def test_a_proper_end_leaves_the_dead_man_nothing_to_do(tmp_path):
    with emulated(tmp_path, "sonnen-v2") as (path, emulator):
        process = holding(path, "sonnen-v2")
        dead_man = dead_man_of(process)
        for how in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(dead_man, how)

        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=SOON_S)

        assert (process.returncode, err) == (0, "")
        assert out.splitlines()[-1].startswith("stopped sonnen-v2: ")
        assert not Path(f"/proc/{dead_man}").exists()
        with WriteLog(path.with_suffix(".writes.sqlite")) as log:
            counted = log.counts("sonnen-v2", datetime.now(UTC).date())
        assert counted == writes_of(emulator)
        assert counted["OperatingMode"] == 2


@pytest.mark.usefixtures("_proc")
def test_a_waiting_dead_man_is_small_and_keeps_its_settings_off_the_command_line(tmp_path):
    with emulated(tmp_path, "sonnen-v2") as (path, _):
        process = holding(path, "sonnen-v2")
        place = Path(f"/proc/{dead_man_of(process)}")
        (rss_kb,) = re.findall(r"VmRSS:\s+(\d+) kB", (place / "status").read_text())
        line = (place / "cmdline").read_bytes().split(b"\0")
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=SOON_S)

    assert int(rss_kb) < 20_000
    assert line[1] == b"-P"
    assert line[2].endswith(b"dead_man_watch.py")
    assert line[3:] == [b""]


@asynccontextmanager
async def a_sonnen(clock):
    home = EmulatedHome(
        model=BatteryModel.lfp(1), soc=0.5, clock=clock.monotonic_s, demand=lambda _: (500.0, 0.0)
    )
    emulator = SonnenV2Emulator(home, clock=clock)
    await emulator.start()
    try:
        yield emulator
    finally:
        await emulator.stop()


@asynccontextmanager
async def left_steered(path):
    """Give a battery that a dead controller holds at a set-point, the clock, and what is said."""
    clock = HandClock()
    with WriteLog(path) as log:
        async with a_sonnen(clock) as emulator:
            site = Site(name="shed", where="[shed]", clock=clock, log=log)
            device = await open_device(emulator.settings, site)
            order = Order(
                settings=emulator.settings,
                name="shed",
                where="[shed]",
                log=None if path is None else str(path),
                claim=log.claim("shed"),
                drivers=DRIVERS,
            )
            others = asyncio.all_tasks()
            await device.battery.set_power(1_000.0, valid_s=3_600)
            for task in asyncio.all_tasks() - others:
                task.cancel()  # its controller is dead and renews nothing
            yield emulator, clock, order, log
            await device.close()


async def passing(clock, is_over):
    """Let time pass, second by second, and sockets work, until something is so."""
    async with asyncio.timeout(SOON_S):
        while not is_over():
            await clock.advance(1)
            await asyncio.sleep(0.05)


def test_a_device_that_does_not_answer_is_tried_with_growing_pauses_and_told_once(tmp_path):
    async def story():
        said = []
        async with left_steered(tmp_path / "log") as (emulator, clock, order, _):
            emulator.faults = FaultPlan.always(Fault.UNAUTHORISED)
            begun_s = clock.monotonic_s()
            work = asyncio.create_task(carry_out(order, clock=clock, say=said.append))
            await passing(clock, lambda: clock.monotonic_s() >= begun_s + 10)
            steered = emulator.home.steered
            emulator.faults = FaultPlan.none()
            await passing(clock, work.done)
            # tries after 0, 2 and 6 s; the one after 14 s is heard, and looked at 5 s later
            return steered, emulator.home.steered, clock.monotonic_s() - begun_s, said

    steered, after, took_s, said = asyncio.run(story())

    assert (steered, after) == (True, False)
    assert took_s == pytest.approx(2 + 4 + 8 + 5, abs=2)
    assert len(said) == 2
    assert said[0].startswith("[shed] cannot be let go yet (shed ")
    assert said[1] == "[shed] is back in self-consumption; its controller had died"


def test_a_controller_that_took_over_is_left_alone(tmp_path):
    async def story():
        said = []
        async with left_steered(tmp_path / "log") as (emulator, clock, order, log):
            before = dict(emulator.writes)
            log.claim("shed")
            await carry_out(order, clock=clock, say=said.append)
            assert log.claimed("shed") not in {None, order.claim}
            return before, dict(emulator.writes), emulator.home.steered, said

    before, after, steered, said = asyncio.run(story())

    assert (after, steered, said) == (before, True, [])


def test_a_write_log_that_broke_keeps_no_battery_from_self_consumption(tmp_path):
    async def story():
        said = []
        async with left_steered(tmp_path / "log") as (emulator, clock, order, _):
            broken = tmp_path / "broken"
            broken.write_text("no database, but long enough to be taken for one" * 30)
            blind = replace(order, log=str(broken))
            work = asyncio.create_task(carry_out(blind, clock=clock, say=said.append))
            await passing(clock, work.done)
            return emulator.home.steered

    assert asyncio.run(story()) is False


def test_a_block_that_ends_properly_ends_the_dead_man(tmp_path):
    async def story():
        clock = SystemClock()
        with WriteLog(tmp_path / "log") as log:
            async with a_sonnen(clock) as emulator:
                site = Site(name="shed", where="[shed]", clock=clock, log=log)
                before = log.claim("shed")  # another controller, which is in charge again after us
                dead_man = DeadMan(emulator.settings, site)
                async with dead_man as device:
                    await device.battery.set_power(900.0, valid_s=600)
                    stands = dead_man.wait(0) is None
                assert log.claimed("shed") == before
                return stands, dead_man.wait(0), dict(emulator.writes)

    assert asyncio.run(story()) == (
        True,
        0,
        {"OperatingMode": 2, "setpoint/charge": 1, "setpoint/discharge": 1},
    )


def test_a_device_that_could_not_be_let_go_is_left_to_the_dead_man(tmp_path, capfd):
    async def story():
        clock = SystemClock()
        with WriteLog(tmp_path / "log") as log:
            async with a_sonnen(clock) as emulator:
                site = Site(name="shed", where="[shed]", clock=clock, log=log)
                device = await open_watched(emulator.settings, site)
                await device.battery.set_power(900.0, valid_s=600)
                emulator.faults = FaultPlan.always(Fault.UNAUTHORISED)
                with pytest.raises(DeviceUnauthorisedError):
                    await device.close()
                emulator.faults = FaultPlan.none()
                async with asyncio.timeout(SOON_S):
                    while emulator.home.steered:  # noqa: ASYNC110 -- another process changes it
                        await asyncio.sleep(0.1)
                return await asyncio.to_thread(device.connection.wait, SOON_S)

    assert asyncio.run(story()) == 0
    assert capfd.readouterr().err.splitlines()[-1].startswith("gridpact dead-man: [shed] is back")


def test_a_device_that_cannot_be_opened_and_one_that_is_read_only_need_no_dead_man(tmp_path):
    async def story():
        clock = SystemClock()
        with WriteLog(tmp_path / "log") as log:
            site = Site(name="shed", where="[shed]", clock=clock, log=log)
            refused = DeadMan({"driver": "sonnen-v2", "hots": 1}, site)
            with pytest.raises(ValueError, match="hots is no setting"):
                await refused.open()
            async with a_sonnen(clock) as emulator:
                reader = Site(name="shed", where="[shed]", clock=clock, log=log, read_only=True)
                reading = DeadMan(emulator.settings, reader)
                async with reading as device:
                    await device.battery.read()
                return refused.wait(0), reading.pid

    assert asyncio.run(story()) == (0, None)


def test_a_fork_of_the_controller_does_not_hold_the_pipe_open(tmp_path):
    """A process that multiprocessing forked lives on; the dead-man acts all the same."""
    script = """
import asyncio, os, sys
from devices.clock import SystemClock
from devices.dead_man import DeadMan
from devices.registry import Site
from devices.write_log import WriteLog

async def story(port):
    with WriteLog() as log:
        site = Site(name="shed", where="[shed]", clock=SystemClock(), log=log)
        table = {"driver": "sonnen-v2", "host": "127.0.0.1", "port": port}
        async with DeadMan(table, site) as device:
            await device.battery.set_power(700.0, valid_s=600)
            if os.fork() == 0:
                os.close(1), os.close(2)
                import time
                time.sleep(30)
                os._exit(0)
            os.kill(os.getpid(), 9)

asyncio.run(story(int(sys.argv[1])))
"""

    async def story():
        async with a_sonnen(SystemClock()) as emulator:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-W", "ignore", "-c", script, str(emulator.settings["port"])),
                stderr=subprocess.PIPE,
            )
            async with asyncio.timeout(SOON_S):
                _, err = await process.communicate()  # until the dead-man has ended
            return err.decode(), emulator.home.steered, dict(emulator.writes)

    err, steered, writes = asyncio.run(story())

    assert "[shed] is back in self-consumption" in err
    assert (steered, writes["OperatingMode"]) == (False, 2)


def test_the_overview_says_which_devices_need_a_dead_man():
    named = {name for name, line in CATALOGUE.items() if "dead-man" in line.watchdog}

    assert named == KEEPS_SET_POINTS
