"""The network that forecasts: trained with PyTorch, run without."""

import json
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from hems.errors import ForecastError
from scenarios.cli import main
from scenarios.errors import DataFormatError, DataRequestError, DataUnavailableError
from scenarios.prosumer.lstm import SHAPES, WEEK_H, Lstm, Weather, Weights, look
from scenarios.prosumer.own_series import Hourly

pytestmark = pytest.mark.xdist_group("lstm")

FIRST = 455_832
"""2022-01-01 00:00 UTC."""
DAYS = 40


@pytest.fixture(scope="session")
def train(left_out):
    """Return the training, which needs PyTorch."""
    if find_spec("torch") is None:
        left_out("torch is needed: install gridpact[lstm]")
    from scenarios.prosumer.train import Training, train  # noqa: PLC0415

    tiny = Training(hidden=6, layer=8, epochs=3, every_h=6)
    return lambda *given, how=tiny, **named: train(*given, first_hour=FIRST, how=how, **named)


@pytest.fixture(scope="session")
def history_wh():
    """Return a house whose days repeat but for some noise, brighter ones among them."""
    rng, hours = np.random.default_rng(0), np.arange(24 * DAYS)
    day = np.maximum(np.sin((hours % 24 - 6) / 12 * np.pi), 0.0)
    bright = np.repeat(rng.uniform(0.3, 1.0, DAYS), 24)
    return (1000 * day * bright + rng.uniform(0, 20, hours.size))[None]


@pytest.fixture(scope="session")
def trained(train, history_wh):
    return train(history_wh)


def drawn(seed=0, *, quantities=4, ahead=8, hidden=5, layer=7):
    """Return a network that nobody trained."""
    rng = np.random.default_rng(seed)
    shapes = (
        (4 * hidden, quantities),
        (4 * hidden, hidden),
        (4 * hidden,),
        (layer, hidden + ahead),
        (layer,),
        (1, layer),
        (1,),
    )
    pairs = zip(SHAPES, shapes, strict=True)
    return Weights(arrays={name: rng.normal(0, 0.3, shape) for name, shape in pairs})


def test_the_same_seed_and_data_give_the_same_bytes(train, history_wh, trained):
    again = train(history_wh)

    assert again.weights.to_bytes() == trained.weights.to_bytes()


def test_another_seed_gives_other_weights(train, history_wh, trained):
    from scenarios.prosumer.train import Training  # noqa: PLC0415

    other = train(history_wh, how=Training(seed=1, hidden=6, layer=8, epochs=3, every_h=6))

    assert other.weights.to_bytes() != trained.weights.to_bytes()


def test_training_leaves_pytorch_as_it_was(train, history_wh):
    import torch  # noqa: PLC0415

    before = (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled())
    drawn_before = torch.random.get_rng_state().tolist()

    train(history_wh)

    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before
    assert torch.random.get_rng_state().tolist() == drawn_before


def test_it_stops_when_it_gets_no_better(train, history_wh):
    from scenarios.prosumer.train import Training  # noqa: PLC0415

    # steps this long never settle
    how = Training(hidden=4, layer=4, epochs=60, patience=2, every_h=6, rate=0.5)
    done = train(history_wh, how=how)

    assert done.epochs == done.best_epoch + 2 < 60


def test_numpy_runs_what_pytorch_trained(train):
    del train
    import torch  # noqa: PLC0415

    weights = drawn()
    of = {name: torch.from_numpy(each) for name, each in weights.arrays.items()}
    seen = look(np.random.default_rng(1).uniform(0, 500, (3, WEEK_H)), np.full(3, FIRST), 72, None)
    network = torch.nn.LSTM(4, 5, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        network.weight_ih_l0.copy_(of["weight_ih"])
        network.weight_hh_l0.copy_(of["weight_hh"])
        network.bias_ih_l0.copy_(of["bias"])
        network.bias_hh_l0.zero_()
        _, (hidden, _) = network(torch.from_numpy(seen.past))
        state = hidden[-1][:, None].expand(-1, 72, -1)
        joined = torch.cat([state, torch.from_numpy(seen.ahead)], dim=2)
        layer = torch.tanh(joined @ of["first"].T + of["first_bias"])
        change = (layer @ of["last"].T + of["last_bias"])[..., 0].numpy()

    expected_wh = weights.expected_wh(seen)

    wanted_wh = np.maximum(seen.base_wh + change * seen.scale_wh, 0.0)
    assert expected_wh == pytest.approx(wanted_wh, rel=1e-9)


def test_homes_are_forecast_each_by_itself_and_never_below_zero():
    history_wh = np.random.default_rng(2).uniform(0, 800, (3, 24 * 9))
    lstm = Lstm(weights=drawn())

    together = lstm.forecast(history_wh, 72, first_hour=FIRST)
    alone = lstm.forecast(history_wh[1:2], 72, first_hour=FIRST)

    assert together.shape == (3, 72)
    assert (together >= 0).all()
    assert together[1] == pytest.approx(alone[0])


def test_it_sees_nothing_of_what_is_more_than_a_week_ago_and_fills_holes():
    history_wh = np.random.default_rng(2).uniform(1, 800, (1, 24 * 9))
    holed = history_wh.copy()
    holed[0, -30] = np.nan
    lstm = Lstm(weights=drawn())

    assert lstm.forecast(history_wh, 30, first_hour=FIRST).tolist() == (
        lstm.forecast(history_wh[:, -WEEK_H:], 30, first_hour=FIRST).tolist()
    )
    assert np.isfinite(lstm.forecast(holed, 30, first_hour=FIRST)).all()


def test_persistence_stands_in_for_the_first_week():
    history_wh = np.arange(48.0)[None]

    expected_wh = Lstm(weights=drawn()).forecast(history_wh, 24, first_hour=FIRST)

    assert expected_wh[0].tolist() == list(range(24, 48))


def test_weights_come_back_from_their_file(tmp_path):
    path = tmp_path / "weights.npz"
    weights = drawn()
    path.write_bytes(weights.to_bytes())

    back = Weights.load(path)

    assert back.to_bytes() == weights.to_bytes()


def test_a_file_without_weights_is_refused(tmp_path):
    path = tmp_path / "weights.npz"
    with pytest.raises(DataUnavailableError, match="train one with gridpact"):
        Weights.load(path)
    path.write_bytes(b"nothing")
    with pytest.raises(DataFormatError, match="holds no weights of a forecast; train it again"):
        Weights.load(path)


def test_weather_helps_where_the_sun_follows_it(train, history_wh):
    from scenarios.prosumer.train import Training  # noqa: PLC0415

    how = Training(hidden=6, layer=12, epochs=60, every_h=3, rate=0.01)
    weather = Weather(first_hour=FIRST, values=history_wh / 1000)

    blind = train(history_wh, how=how)
    told = train(history_wh, how=how, weather=weather)

    assert told.validation_error < 0.7 * blind.validation_error


def test_weather_that_does_not_reach_is_refused():
    weather = Weather(first_hour=FIRST, values=np.zeros((1, 24 * 8)))
    lstm = Lstm(weights=drawn(quantities=5, ahead=9), weather=weather)

    with pytest.raises(ForecastError, match="weather is known for 192 hours"):
        lstm.forecast(np.ones((1, 24 * 8)), 30, first_hour=FIRST + 24 * 8)
    with pytest.raises(DataFormatError, match="does not cover all hours"):
        Weather.of([Hourly(first_hour=FIRST, values=np.zeros(5))], range(FIRST, FIRST + 6))


def test_a_network_trained_with_weather_is_not_run_without():
    lstm = Lstm(weights=drawn(quantities=5, ahead=9))

    with pytest.raises(ForecastError, match="trained with 5 quantities, 4 are given; give the"):
        lstm.forecast(np.ones((1, 24 * 8)), 30, first_hour=FIRST)


def test_too_short_a_past_is_refused(train):
    with pytest.raises(DataRequestError, match="100 hours of history, 576 are needed"):
        train(np.ones((1, 100)))


def write_series(folder, history_wh):
    path = folder / "pv.csv"
    times = np.datetime64(FIRST * 3600, "s") + np.arange(24 * DAYS) * np.timedelta64(3600, "s")
    lines = [f"{time}Z,{value:.2f}" for time, value in zip(times, history_wh[0], strict=True)]
    path.write_text("time,pv_w\n" + "\n".join(lines))
    return path


def test_the_command_writes_weights_and_says_how_good_they_are(train, history_wh, tmp_path, capsys):
    del train
    path, out = write_series(tmp_path, history_wh), tmp_path / "weights.npz"
    arguments = f"--series {path} --quantity pv --epochs 2 --out {out} --json"

    with pytest.raises(SystemExit) as ended:
        main(["scenario", "run", "train-forecast", *arguments.split()])

    assert ended.value.code == 0
    told = json.loads(capsys.readouterr().out)
    assert told["epochs"] == 2
    assert set(told["relative_error_by_hours_ahead"]) == {"lstm", "persistence", "linear", "knn"}
    assert Weights.load(out).arrays["last_bias"].shape == (1,)


def test_without_pytorch_the_command_ends_with_one_line(history_wh, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    path = write_series(tmp_path, history_wh)

    with pytest.raises(SystemExit) as ended:
        main(["scenario", "run", "train-forecast", "--series", str(path)])

    assert ended.value.code == 1
    assert capsys.readouterr().err == ("gridpact: torch is not installed; install gridpact[lstm]\n")
