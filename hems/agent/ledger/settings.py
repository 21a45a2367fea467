"""How a gateway reaches its fleet's contract, and how it reports: the table ``[ledger]``."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from contracts.deployment import Deployment

PASSPHRASE_VARIABLE: Final = "GRIDPACT_PASSPHRASE"  # noqa: S105 -- a name
"""What the environment calls the passphrase where no file holds it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSettings:
    """The table ``[ledger]`` of a home's configuration.

    Raises
    ------
    ValueError
        If a setting is out of range.
    """

    url: str
    """Address of a node's JSON-RPC service, or several, separated by blanks, by preference."""
    deployment_file: Path
    """File that names the fleet's contracts and their chain, as ``chain deploy`` writes it."""
    account: str
    """Address that reports: the member."""
    keys: Path
    """Folder with the account's keystore."""
    passphrase_file: Path | None = None
    """What opens the keystore, readable by its owner alone; None takes `PASSPHRASE_VARIABLE`."""
    report_s: int = 900
    """t_sc, from a report to the next, 60..900. [s]"""
    report_delay_s: float = 5.0
    """How long after a multiple of ``report_s`` a report is made at the soonest, so that the meter
    has been read once more. [s]"""
    report_jitter_s: float = 30.0
    """Reports come up to this much later, each home by its own constant amount, so that a fleet
    does not call its node in one second. [s]"""
    answer_timeout_s: float = 20.0
    """How long a node may take for an answer, and its several answers to a question of ours three
    times as long. [s]"""
    block_timeout_s: float = 60.0
    """How long a report's block is waited for before the report counts as still on its way. [s]"""
    reorganisation_s: int = 7200
    """For how long after an interval took its last reports one that a reorganisation took off the
    chain is still handed in again. [s]"""
    fee_cap_gwei: float | None = None
    """What a unit of gas may cost at most; None pays what the node advises. [gwei]"""
    schedule_ahead_h: int = 36
    """How far ahead the schedule is kept, for when the ledger cannot be reached. [h]"""
    hold_s: float = 30.0
    """How long the meter's last power stands for those that are missing. [s]"""
    meter_max_w: float = 50_000.0
    """The most that flows through the meter: counters that move faster are not believed. [W]"""
    capacity_share: float | None = None
    """This home's part of the fleet's capacity, 0..1, to go by until the contract has told a
    weight; None owes nothing until then."""
    plant_account: str | None = None
    """Member without a battery, such as the aggregator's plant, whose further export is expected
    to pay its part of what the fleet owes; None expects none."""

    def __post_init__(self) -> None:
        if not self.urls:
            msg = "url is empty; name a node, such as http://127.0.0.1:8545"
            raise ValueError(msg)
        if not 60 <= self.report_s <= 900 or 900 % self.report_s:
            msg = f"report_s is {self.report_s}; give 60..900 seconds that divide 900"
            raise ValueError(msg)
        least = {
            "report_delay_s": 0.0,
            "report_jitter_s": 0.0,
            "answer_timeout_s": 0.05,
            "block_timeout_s": 0.05,
            "reorganisation_s": 0.0,
            "schedule_ahead_h": 1,
            "hold_s": 1.0,
            "meter_max_w": 1.0,
        }
        for name, low in least.items():
            if not getattr(self, name) >= low:
                msg = f"{name} is {getattr(self, name)}; give {low:g} or more"
                raise ValueError(msg)
        if self.report_delay_s + self.report_jitter_s >= self.report_s:
            msg = "report_delay_s and report_jitter_s together reach the next report; shorten them"
            raise ValueError(msg)
        if self.capacity_share is not None and not 0 <= self.capacity_share <= 1:
            msg = f"capacity_share is {self.capacity_share:g}; give 0..1"
            raise ValueError(msg)

    @property
    def urls(self) -> list[str]:
        """The nodes, by preference."""
        return self.url.split()

    @property
    def fee_cap_wei(self) -> int | None:
        """What a unit of gas may cost at most; None where the node says. [wei]"""
        return None if self.fee_cap_gwei is None else round(self.fee_cap_gwei * 1e9)

    def deployment(self) -> Deployment:
        """Return where the contracts are, or raise `contracts.errors.DeploymentFileError`."""
        return Deployment.load(self.deployment_file)

    def passphrase(self) -> str:
        """Return what opens the keystore.

        Raises
        ------
        KeystoreError
            If neither the file nor the environment gives it.
        """
        from contracts.keystore import KeystoreError, read_passphrase  # noqa: PLC0415 -- slow

        if self.passphrase_file is not None:
            return read_passphrase(self.passphrase_file)
        given = os.environ.get(PASSPHRASE_VARIABLE, "")
        if not given:
            msg = f"no passphrase of {self.account}; set passphrase_file or {PASSPHRASE_VARIABLE}"
            raise KeystoreError(msg)
        return given
