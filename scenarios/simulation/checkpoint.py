"""Where a run of many days stands, on disk: all that the next day needs, in one file."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from contracts.local.revm_state import Account, ChainState
from devices.arrays import FloatArray, IntArray
from scenarios.errors import ScenarioInputError
from scenarios.simulation.fleet_state import ContractSide, FleetState, HomesState
from scenarios.simulation.past import Past

FILE = "checkpoint.npz"
WORD = 32
Arrays = Mapping[str, npt.NDArray[Any]]


@dataclass(slots=True, kw_only=True)
class Totals:
    """What adds up over the days of a run; money per home has shape (homes,)."""

    bill: FloatArray
    """What the homes pay. [currency]"""
    baseline: FloatArray
    """What they would pay for their load alone. [currency]"""
    wire_wh: FloatArray
    """Import that other members' export matched. [Wh]"""
    clearings: IntArray
    """Interval, price and imbalance price of what was promised, shape (promised, 3). [micro]"""

    @classmethod
    def none(cls, homes: int) -> "Totals":
        """Return the totals of no days."""
        return cls(
            bill=np.zeros(homes),
            baseline=np.zeros(homes),
            wire_wh=np.zeros(homes),
            clearings=np.empty((0, 3), dtype=np.int64),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A run between two days."""

    asked: dict[str, object]
    """What the run was asked for, as JSON has it: a run resumes only its own."""
    days_done: int
    """Days that were lived through."""
    contracts: dict[str, str]
    """Addresses of the contracts, by what they are."""
    now_s: int
    """The chain's time. [s since 1970]"""
    chain: ChainState
    """What the chain holds."""
    expected_wh: FloatArray
    """What the aggregator expected in the cells when it planned the day that comes, (homes,). [Wh]

    The plan itself follows from it."""
    state: FleetState
    """The fleet."""
    totals: Totals
    """What added up so far."""


def save(folder: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint in one step: a run that is killed meanwhile keeps the last one."""
    arrays = {
        "expected_wh": checkpoint.expected_wh,
        **_taken("contract", checkpoint.state.contract),
        **_taken("homes", checkpoint.state.homes, leave=("past",)),
        **_taken("past", checkpoint.state.homes.past),
        **_taken("totals", checkpoint.totals),
    }
    accounts = []
    for number, (address, account) in enumerate(checkpoint.chain.items()):
        accounts.append({"address": address, "nonce": account.nonce, "code": account.code.hex()})
        arrays[f"slots.{number}"] = _words([*account.storage.keys()])
        arrays[f"values.{number}"] = _words([*account.storage.values()])
    about = {
        "asked": checkpoint.asked,
        "days_done": checkpoint.days_done,
        "contracts": checkpoint.contracts,
        "now_s": checkpoint.now_s,
        "accounts": accounts,
    }
    new = folder / f"{FILE}.new"
    with new.open("wb") as file:
        np.savez(file, allow_pickle=False, about=np.array(json.dumps(about)), **arrays)
        file.flush()
        os.fsync(file.fileno())
    new.replace(folder / FILE)


def load(folder: Path, asked: Mapping[str, object]) -> Checkpoint | None:
    """Return the checkpoint in a folder, None where there is none.

    Raises
    ------
    ScenarioInputError
        If it cannot be read, or belongs to a run that was asked for something else.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        found = _read(arrays)
    except (OSError, ValueError, KeyError, TypeError, BadZipFile) as error:
        msg = f"{path} is no checkpoint that can be read ({error}); give another folder with --out"
        raise ScenarioInputError(msg) from error
    stood, wanted = _flat({key: found.asked.get(key) for key in asked}), _flat(asked)
    differs = [
        f"{name} {stood.get(name)}, not {wanted.get(name)}"
        for name in {**wanted, **stood}
        if stood.get(name) != wanted.get(name)
    ]
    if differs:
        msg = (
            f"{folder} holds a run with other settings: {'; '.join(differs)}; "
            "give those, or another folder with --out"
        )
        raise ScenarioInputError(msg)
    return found


def _flat(asked: Mapping[str, object], above: str = "") -> dict[str, object]:
    """Return what was asked with each value by its full name, such as ``rules.report_s``."""
    flat: dict[str, object] = {}
    for key, value in asked.items():
        name = f"{above}{key}"
        flat |= _flat(value, f"{name}.") if isinstance(value, Mapping) else {name: value}
    return flat


def _read(arrays: Arrays) -> Checkpoint:
    about = json.loads(str(arrays["about"]))
    chain = {
        account["address"]: Account(
            nonce=account["nonce"],
            code=bytes.fromhex(account["code"]),
            storage=dict(
                zip(
                    _numbers(arrays[f"slots.{number}"]),
                    _numbers(arrays[f"values.{number}"]),
                    strict=True,
                )
            ),
        )
        for number, account in enumerate(about["accounts"])
    }
    return Checkpoint(
        asked=about["asked"],
        days_done=about["days_done"],
        contracts=about["contracts"],
        now_s=about["now_s"],
        chain=chain,
        expected_wh=arrays["expected_wh"],
        state=FleetState(
            homes=HomesState(**_given("homes", arrays), past=Past(**_given("past", arrays))),
            contract=ContractSide(
                **{
                    name: value if value.ndim else value.item()
                    for name, value in _given("contract", arrays).items()
                }
            ),
        ),
        totals=Totals(**_given("totals", arrays)),
    )


def _taken(
    prefix: str, value: ContractSide | HomesState | Past | Totals, *, leave: tuple[str, ...] = ()
) -> dict[str, npt.NDArray[Any]]:
    """Return the fields of a value as named arrays."""
    return {
        f"{prefix}.{field.name}": np.asarray(getattr(value, field.name))
        for field in fields(value)
        if field.name not in leave
    }


def _given(prefix: str, arrays: Arrays) -> dict[str, Any]:
    """Return the arrays that `_taken` named."""
    begin = f"{prefix}."
    return {name.removeprefix(begin): a for name, a in arrays.items() if name.startswith(begin)}


def _words(numbers: list[int]) -> npt.NDArray[np.uint8]:
    data = b"".join(number.to_bytes(WORD, "big") for number in numbers)
    return np.frombuffer(data, dtype=np.uint8).reshape(-1, WORD)


def _numbers(words: npt.NDArray[np.uint8]) -> list[int]:
    data = words.tobytes()
    return [int.from_bytes(data[i : i + WORD], "big") for i in range(0, len(data), WORD)]
