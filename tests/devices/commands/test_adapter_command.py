"""`gridpact device adapter` serves an inverter to the driver that speaks with adapters."""

import json
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest

from scenarios.cli import main

GRIDPACT = [sys.executable, "-c", "from scenarios.cli import main; main()", "device"]


def run(capsys, *arguments):
    """Return exit code, stdout and stderr of one command, in this process."""
    with pytest.raises(SystemExit) as left:
        main(["device", *(str(argument) for argument in arguments)])
    streams = capsys.readouterr()
    return left.value.code, streams.out, streams.err


@contextmanager
def running(*arguments):
    """Run a command until the block ends; it is to end well then."""
    process = subprocess.Popen(
        [*GRIDPACT, *(str(each) for each in arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
        process.send_signal(signal.SIGINT)
        process.err = process.communicate(timeout=30)[1]
        assert process.returncode == 0, process.err
    finally:
        process.kill()
        process.communicate()


def test_an_inverter_is_read_and_steered_through_the_adapter(capsys, tmp_path):
    tls = tmp_path / "tls"
    with (
        running("emulate", "sunspec", "--soc", 0.7) as inverter,
        running(
            *("adapter", "--folder", tls, "--host", "127.0.0.1", "--port", 0),
            *("--no-announce", "--json"),
        ) as adapter,
    ):
        table = "".join(iter(inverter.stdout.readline, "\n"))
        (port,) = (line.split(" = ")[1] for line in table.splitlines() if line.startswith("port"))
        told = json.loads(adapter.stdout.readline())
        path = tmp_path / "home.toml"
        path.write_text(
            f"""
            [battery]
            driver = "sunspec-adapter"
            host = "127.0.0.1"
            port = {told["port"]}
            ca_file = "tls/ca.pem"
            storage = "sunspec"
            model = "emulated"
            address = "127.0.0.1"
            storage_port = {port}
            rated_w = 5000
            """
        )

        read = run(capsys, "read", path, "--json")
        steered = run(capsys, "set", path, "battery", 1500, "--for", 2)
        after = run(capsys, "read", path, "--json")

    assert told == {
        "addresses": ["127.0.0.1"],
        "port": told["port"],
        "ca_file": str(tls / "ca.pem"),
        "name": None,
    }
    assert (read[0], read[2]) == (0, "")
    assert json.loads(read[1])["battery"]["battery"]["soc"] == pytest.approx(0.7, abs=0.01)
    assert (steered[0], steered[2]) == (0, "")
    assert "charges 1500 W, held at a set-point" in steered[1]
    assert json.loads(after[1])["battery"]["battery"]["following"] is True
    assert "WSet" in inverter.err  # the inverter itself was written
    assert (tls / "adapter.key").stat().st_mode & 0o077 == 0


def test_certificates_are_kept_and_a_client_that_trusts_another_authority_is_refused(
    capsys, tmp_path
):
    tls = tmp_path / "tls"
    arguments = ("adapter", "--folder", tls, "--host", "127.0.0.1", "--port", 0, "--no-announce")
    with running(*arguments) as adapter:
        first = adapter.stdout.readline()
        made = (tls / "ca.pem").read_bytes()
    with running(*arguments[:2], tmp_path / "other", *arguments[3:]) as other:
        other.stdout.readline()
    with running(*arguments) as adapter:
        port = adapter.stdout.readline().split(":")[1].split(",")[0]
        path = tmp_path / "home.toml"
        path.write_text(
            f"""
            [battery]
            driver = "sunspec-adapter"
            host = "127.0.0.1"
            port = {port}
            ca_file = "other/ca.pem"
            storage = "sunspec"
            model = "emulated"
            address = "127.0.0.1"
            rated_w = 5000
            """
        )
        code, _, err = run(capsys, "read", path)

    assert first.startswith("listens at 127.0.0.1:")
    assert first.endswith(", not announced\n")
    assert (tls / "ca.pem").read_bytes() == made
    assert code == 1
    assert "is not the adapter of the authority in ca_file" in err


def test_without_the_extra_the_remedy_is_one_line(tmp_path):
    script = "import sys; sys.modules['amqtt'] = None; from scenarios.cli import main; main()"
    done = subprocess.run(
        [
            *(sys.executable, "-c", script, "device", "adapter"),
            *("--folder", str(tmp_path), "--host", "127.0.0.1"),
        ],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("gridpact: amqtt")
    assert done.stderr.endswith(" is not installed; install gridpact[adapter]\n")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("host", "line"),
    [("house", "adapter: host is 'house'; give an IP address"), ("203.0.113.9", "adapter at 203")],
)
def test_an_address_that_cannot_be_listened_at_is_one_line(capsys, tmp_path, host, line):
    code, out, err = run(capsys, "adapter", "--folder", tmp_path, "--host", host, "--no-announce")

    assert (code, out) == (1, "")
    assert err.startswith(f"gridpact: {line}")
    assert len(err.splitlines()) == 1
