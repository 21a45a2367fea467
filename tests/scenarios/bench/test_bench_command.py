"""`gridpact bench`: keys, JSON, and a measurement that is only loaded when it is called."""

import json

import pytest

from scenarios.bench import command as bench_command
from scenarios.bench.command import BENCHES, Bench
from scenarios.bench.device_figures import device_figures
from scenarios.cli import main

KEYS = [
    *("xtender_codec_per_s", "sunspec_codec_per_s", "sunspec_read_requests"),
    *("poll_devices", "poll_p99_ms"),
]


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as left:
        main(["bench", *arguments])
    streams = capsys.readouterr()
    return left.value.code, streams.out, streams.err


def three_figures():
    """Measure nothing, for the tests of the group."""
    return {"things_per_s": 123456.7, "requests": 3}


@pytest.fixture
def _a_bench(monkeypatch):
    monkeypatch.setitem(
        BENCHES, "three", Bench(place=f"{bench_command.__name__}:_three", line="Three things.")
    )
    monkeypatch.setattr(bench_command, "_three", three_figures, raising=False)


@pytest.mark.usefixtures("_a_bench")
def test_figures_come_as_json_and_as_text(capsys):
    assert json.loads(run(capsys, "three", "--json")[1]) == three_figures()
    assert run(capsys, "three")[1].split() == ["things_per_s", "123,457", "requests", "3"]


def test_overview_names_every_measurement(capsys):
    _, out, _ = run(capsys, "--help")

    assert all(name in out for name in BENCHES)


def test_a_measurement_that_is_none_is_wrong_use(capsys):
    code, _, err = run(capsys, "nothing")

    assert code == 2
    assert "No such command 'nothing'" in err


def test_device_figures_have_their_keys_and_are_possible():
    figures = device_figures(codec_s=0.05, devices=3, polled_s=1)

    assert list(figures)[:5] == KEYS
    assert figures["poll_devices"] == 3
    assert (figures["poll_errors"], figures["poll_missed"]) == (0, 0)
    assert 1 <= figures["sunspec_read_requests"] <= 3
    assert all(figures[key] > 0 for key in KEYS)
