"""Train the network of `scenarios.prosumer.lstm` with PyTorch: same seed and data, same weights.

This module needs PyTorch, so that only a training imports it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from devices.arrays import FloatArray, IntArray
from scenarios.errors import DataRequestError
from scenarios.prosumer.forecasts import DAY_H, HORIZON_H
from scenarios.prosumer.forecasts_linear import filled
from scenarios.prosumer.lstm import WEEK_H, Seen, Weather, Weights, look

LEAST_H = WEEK_H + HORIZON_H + 14 * DAY_H
"""Hours of history that a training needs. [h]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """How a network is trained."""

    seed: int = 0
    """Of first weights and of the order of examples."""
    hidden: int = 24
    """Size of the memory."""
    layer: int = 32
    """Size of the layer that is asked for each hour ahead."""
    epochs: int = 60
    """Passes over all examples at most."""
    patience: int = 8
    """Passes without a better validation after which it ends."""
    batch: int = 128
    """Examples at a time."""
    rate: float = 2e-3
    """Step of Adam."""
    every_h: int = 3
    """Hours from example to example. [h]"""
    validation: float = 0.15
    """Share of the history, its newest, that tells when to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A training and how it went."""

    weights: Weights
    """Those of the best pass."""
    epochs: int
    """Passes that were made."""
    best_epoch: int
    """Pass whose weights these are, from 1."""
    validation_error: float
    """Its mean |error| over the windows' means, on hours that it was not trained on."""


def train(
    history_wh: FloatArray,
    *,
    first_hour: int,
    weather: Weather | None = None,
    how: Training | None = None,
    progress: Callable[[int, float], None] = lambda *_: None,
) -> Trained:
    """Return a network trained on the hours of some homes.

    Parameters
    ----------
    history_wh : FloatArray, shape (homes, hours)
        Measured energies, NaN where an hour was not measured. [Wh]
    first_hour : int
        Number of the first of them, counted from 1970 in UTC.
    weather : Weather | None
        Weather of the same hours.
    how : Training | None
        Settings.
    progress : Callable[[int, float], None]
        Told each pass and its validation error.

    Raises
    ------
    DataRequestError
        If the history is too short to learn from.
    """
    how = how or Training()
    hours = history_wh.shape[1]
    if hours < LEAST_H:
        msg = f"training: {hours} hours of history, {LEAST_H} are needed; give more"
        raise DataRequestError(msg)
    known_wh = filled(history_wh)
    split = int(hours * (1 - how.validation))
    origins = np.arange(WEEK_H, hours - HORIZON_H + 1, how.every_h)
    # no hour that validates is also a target of training
    learn = _examples(known_wh, origins[origins + HORIZON_H <= split], first_hour, weather)
    judge = _examples(known_wh, origins[origins >= split], first_hour, weather)
    if not len(learn[1]) or not len(judge[1]):
        msg = f"training: {hours} hours leave nothing to validate with; give more"
        raise DataRequestError(msg)
    return _trained(learn, judge, how, progress)


Examples = tuple[tuple[torch.Tensor, torch.Tensor], torch.Tensor]
"""What is seen (past, ahead), and the change to foretell over the window's mean."""


def _examples(
    known_wh: FloatArray, origins: IntArray, first_hour: int, weather: Weather | None
) -> Examples:
    windows = known_wh[:, origins[:, None] + np.arange(-WEEK_H, 0)].reshape(-1, WEEK_H)
    targets = known_wh[:, origins[:, None] + np.arange(HORIZON_H)].reshape(-1, HORIZON_H)
    numbers = np.tile(first_hour + origins, len(known_wh))
    seen: Seen = look(windows, numbers, HORIZON_H, weather)
    change = (targets - seen.base_wh) / seen.scale_wh
    past, ahead, wanted = (
        torch.from_numpy(each.astype(np.float32)) for each in (seen.past, seen.ahead, change)
    )
    return (past, ahead), wanted


def _trained(
    learn: Examples, judge: Examples, how: Training, progress: Callable[[int, float], None]
) -> Trained:
    """Train until the validation gets no better, on one thread and with fixed algorithms."""
    threads, fixed = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(mode=True)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(how.seed)
            return _fitted(learn, judge, how, progress)
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(mode=fixed)


def _fitted(
    learn: Examples, judge: Examples, how: Training, progress: Callable[[int, float], None]
) -> Trained:
    (past, ahead), wanted = learn
    network = nn.ModuleDict(
        {
            "memory": nn.LSTM(past.shape[2], how.hidden, batch_first=True),
            "first": nn.Linear(how.hidden + ahead.shape[2], how.layer),
            "last": nn.Linear(how.layer, 1),
        }
    )
    optimiser = torch.optim.Adam(network.parameters(), lr=how.rate)
    best, best_error, best_epoch, epoch = _weights(network), np.inf, 0, 0
    for epoch in range(1, how.epochs + 1):
        order = torch.randperm(len(wanted))
        for begin in range(0, len(wanted), how.batch):
            part = order[begin : begin + how.batch]
            optimiser.zero_grad()
            told = _told(network, past[part], ahead[part])
            torch.autograd.backward(nn.functional.huber_loss(told, wanted[part], delta=0.5))
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
        with torch.no_grad():
            error = float((_told(network, *judge[0]) - judge[1]).abs().mean())
        progress(epoch, error)
        if error < best_error:
            best, best_error, best_epoch = _weights(network), error, epoch
        elif epoch - best_epoch >= how.patience:
            break
    return Trained(weights=best, epochs=epoch, best_epoch=best_epoch, validation_error=best_error)


def _told(network: nn.ModuleDict, past: torch.Tensor, ahead: torch.Tensor) -> torch.Tensor:
    """Return the change that a network foretells, shape (windows, hours)."""
    _, (hidden, _) = network["memory"](past)
    state = hidden[-1][:, None].expand(-1, ahead.shape[1], -1)
    layer = torch.tanh(network["first"](torch.cat([state, ahead], dim=2)))
    told: torch.Tensor = network["last"](layer)[..., 0]
    return told


def _weights(network: nn.ModuleDict) -> Weights:
    """Return a network's weights in NumPy's arrays."""
    of = {name: each.detach().double().numpy() for name, each in network.named_parameters()}
    return Weights(
        arrays={
            "weight_ih": of["memory.weight_ih_l0"].copy(),
            "weight_hh": of["memory.weight_hh_l0"].copy(),
            "bias": of["memory.bias_ih_l0"] + of["memory.bias_hh_l0"],
            "first": of["first.weight"].copy(),
            "first_bias": of["first.bias"].copy(),
            "last": of["last.weight"].copy(),
            "last_bias": of["last.bias"].copy(),
        }
    )
