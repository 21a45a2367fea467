"""The part of `gridpact agent check` that asks the fleet's contract."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from contracts.client import connect
from contracts.connection.chain_web3 import Web3Chain, rpc_chain
from contracts.errors import FleetMemberUnknown, LedgerError
from contracts.keystore import find_keystore, unlock
from contracts.promise import Member
from devices.clock import Clock
from hems.agent.config import AgentConfig
from hems.agent.ledger.settings import LedgerSettings
from hems.agent.setup.check import Finding

SKEW_S: Final = 30.0
"""How far the computer's clock may be from the chain's: reports are dated by both. [s]"""
REACH_S: Final = 60.0
"""How long all questions to the node may take. [s]"""


async def check_ledger(config: AgentConfig, *, clock: Clock) -> list[Finding]:
    """Return what was found of key, contract, member and clock; a `LedgerError` is a finding."""
    try:
        async with asyncio.timeout(REACH_S):
            return await asyncio.to_thread(_looked, config, clock)
    except TimeoutError:
        line = f"no answer within {REACH_S:g} s; see whether the node of [ledger] url is alive"
        return [Finding(thing="ledger", ok=False, line=line)]


def _looked(config: AgentConfig, clock: Clock) -> list[Finding]:
    settings = config.ledger
    if settings is None:
        return []
    found = [_key(settings)]
    try:
        found += _contract(config, settings, clock)
    except LedgerError as error:
        found.append(_wrong("ledger", str(error)))
    return found


def _key(settings: LedgerSettings) -> Finding:
    """Look whether the account's key is ours to use."""
    try:
        unlock(find_keystore(Path(settings.keys), settings.account), settings.passphrase())
    except LedgerError as error:
        return _wrong("key", str(error))
    return Finding(thing="key", ok=True, line=f"{settings.account} can be signed for")


def _contract(config: AgentConfig, settings: LedgerSettings, clock: Clock) -> Iterator[Finding]:
    deployment = settings.deployment()
    urls = settings.urls
    chain = rpc_chain(urls[0] if len(urls) == 1 else urls, chain_id=deployment.chain_id)
    ledger = connect(chain, deployment)
    where = f"fleet {deployment.fleet} on chain {deployment.chain_id}"
    yield Finding(thing="ledger", ok=True, line=f"{where}, intervals of {deployment.interval_s} s")
    try:
        member = ledger.fleet.member(settings.account)
    except FleetMemberUnknown:
        line = f"{settings.account} is not enrolled in {where}; have the aggregator enrol it"
        yield _wrong("member", line)
    else:
        yield _member(config, member)
    yield _coin(chain, settings.account)
    yield _clock(chain, clock)


def _member(config: AgentConfig, member: Member) -> Finding:
    """Compare what is enrolled with what is configured."""
    capacity_wh, grid_w = round(config.storage.capacity_wh), _connection_w(config)
    if member.capacity_wh != capacity_wh:
        line = (
            f"enrolled with {member.capacity_wh} Wh, [storage] says {capacity_wh} Wh; "
            "correct one of them"
        )
        return _wrong("member", line)
    if member.grid_power_w < grid_w:
        line = (
            f"enrolled with a connection of {member.grid_power_w} W, [grid] says {grid_w} W: what "
            "flows beyond is refused; have the aggregator correct it"
        )
        return _wrong("member", line)
    if member.meter is not None:
        line = f"enrolled with meter {member.meter}, whose signature this agent cannot get"
        return _wrong("member", f"{line}; have it enrolled without")
    line = f"enrolled with {member.capacity_wh} Wh and {member.grid_power_w} W"
    return Finding(thing="member", ok=True, line=line)


def _coin(chain: Web3Chain, account: str) -> Finding:
    """Look whether the account can pay for its reports."""
    coins = chain.balance_wei(account) / 10**18
    if not coins:
        line = f"{account} has none of the chain's coin to pay its reports with; send it some"
        return _wrong("coin", line)
    return Finding(thing="coin", ok=True, line=f"{coins:.6g} of the chain's coin for reports")


def _connection_w(config: AgentConfig) -> int:
    return round(max(config.grid.import_max_w, config.grid.export_max_w))


def _clock(chain: Web3Chain, clock: Clock) -> Finding:
    """Compare the computer's clock with the chain's last block, which is some seconds old."""
    behind_s = clock.utc().timestamp() - chain.now_s()
    if behind_s < -SKEW_S:
        line = f"this computer is {-behind_s:.0f} s behind the chain; set its clock (NTP)"
        return _wrong("clock", line)
    return Finding(thing="clock", ok=True, line=f"last block {behind_s:.0f} s ago by this computer")


def _wrong(thing: str, line: str) -> Finding:
    return Finding(thing=thing, ok=False, line=" ".join(line.split()))
