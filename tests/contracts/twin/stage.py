"""Who acts in a random day, what is drawn for an act, and how two outcomes are compared."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace

from chronicle import Chronicle
from eth_account.signers.local import LocalAccount
from eth_keys.backends.native.jacobian import fast_multiply
from eth_keys.constants import SECPK1_G, SECPK1_N
from fleet_twin import GRACE_S, STEP_S, TOLERANCE_S
from hypothesis import strategies as st
from money_twin import BOUNDARY_TOLERANCE_BP, FEE_BP, PRICE_MAX

from contracts.abi import Function
from contracts.chain import Chain, Receipt
from contracts.client import Terms
from contracts.errors import LedgerError
from contracts.local.embedded import development_accounts

DAYS = int(os.environ.get("GRIDPACT_DAYS", "1000"))
ACTS = 14
SLOTS = 6
START = datetime(2026, 6, 1, tzinfo=UTC)
FIRST = int(START.timestamp()) // STEP_S
TERMS = Terms(
    interval_s=STEP_S,
    grace_s=GRACE_S,
    tolerance_s=TOLERANCE_S,
    fee_bp=FEE_BP,
    boundary_tolerance_bp=BOUNDARY_TOLERANCE_BP,
)


class Signer:
    """Sign as an account does, but with one random point for all, which takes most of the time.

    Two such signatures give the key away, so they are for keys that everybody knows.
    """

    def __init__(self, account: LocalAccount) -> None:
        self._key = int.from_bytes(account.key, "big")
        self._nonce = 1 + self._key % 2**128
        self._r, y = fast_multiply(SECPK1_G, self._nonce)
        self._odd = y % 2

    def unsafe_sign_hash(self, digest: bytes) -> SimpleNamespace:
        number = int.from_bytes(digest, "big") + self._r * self._key
        s = pow(self._nonce, -1, SECPK1_N) * number % SECPK1_N
        if s <= SECPK1_N // 2:
            return SimpleNamespace(r=self._r, s=s, v=27 + self._odd)
        return SimpleNamespace(r=self._r, s=SECPK1_N - s, v=28 - self._odd)


ACCOUNTS = development_accounts(seed=5, count=10)
KEYS = {account.address: Signer(account) for account in ACCOUNTS}
OWNER, HEIR, MARKET, STRANGER, *HOMES = [account.address for account in ACCOUNTS[:8]]
METERS = [account.address for account in ACCOUNTS[8:]]
PURSE = 10**12

TRANSFER = Function("transferOwnership(address)")
ACCEPT = Function("acceptOwnership()")

# Mostly what is right: a machine whose acts are all refused sees nothing.
CALLERS = st.sampled_from([None] * 8 + [HEIR, STRANGER])
"""Who drives a contract; None is its owner."""
SELDOM = st.sampled_from([False] * 5 + [True])
SLOT = st.integers(-1, SLOTS)
WHO = st.sampled_from([0, 0, 1, 1, 2, 2, 3, 4])
"""Places among `person`; the last one is a stranger."""
PAUSES_S = st.sampled_from([0, 1, 30, 300, 300, 300, 600, 900])
AT_TARGET = -1
"""A state of charge that is just the running interval's target."""
REPORTERS = st.sampled_from([0] * 6 + [2] * 6 + [1, 3, 3, 4])
"""Mostly those who have no meter."""
SIGNERS = st.sampled_from([0] * 4 + [1] * 6 + [2] * 3 + [3, 4])
MEASURED = (
    st.sampled_from([0] * 10 + [1] * 5 + [2, -1]),  # intervals back
    st.integers(-50, 200) | st.integers(-150, 600) | st.integers(-7000, 7000),  # Wh
    st.integers(0, 10_000)
    | st.integers(0, 10_000)
    | st.sampled_from([0, 10_000, 10_001, AT_TARGET, AT_TARGET]),  # state of charge
)
REPORTS = st.tuples(REPORTERS, *MEASURED)
SIGNED = st.tuples(
    st.tuples(SIGNERS, *MEASURED),
    st.sampled_from([0] * 8 + [1, -1]),  # how far the nonce is from the next one
    st.sampled_from([True] * 8 + [False]),  # whether the member signs
    st.sampled_from([None, True, False] + ["as enrolled"] * 6),  # whether its meter does
)
EDGES_S = st.sampled_from([-1, 0, GRACE_S - 1, GRACE_S, GRACE_S, 2 * STEP_S])
PRICES = st.integers(-200_000_000, 400_000_000)
WILD_PRICES = st.sampled_from([PRICE_MAX, PRICE_MAX + 1, -PRICE_MAX - 1])
AMOUNTS = st.integers(0, 500_000) | st.integers(0, 10_000_000)
BOUNDARIES = st.none() | st.integers(-5, 5) | st.integers(-2000, 4000)


@dataclass(kw_only=True)
class Listening:
    """A chain that has its events written down."""

    chain: Chain
    chronicle: Chronicle

    def send_all(self, calls):
        outcomes = self.chain.send_all(calls)
        for outcome in outcomes:
            if isinstance(outcome, Receipt):
                self.chronicle.read(outcome.logs, outcome.block_timestamp)
        return outcomes

    def __getattr__(self, name: str):
        return getattr(self.chain, name)


def person(who: int) -> str:
    return (*HOMES, STRANGER)[who]


def told(act: Callable[[], object]) -> LedgerError | None:
    """Return the refusal that an act raises."""
    try:
        act()
    except LedgerError as error:
        return error
    return None


def refused(outcome: Receipt | LedgerError) -> LedgerError | None:
    return None if isinstance(outcome, Receipt) else outcome


def same(ours: LedgerError | None, expected: LedgerError | None) -> None:
    """Check that two refusals are of the same name, with the same values."""
    assert (type(ours), str(ours)) == (type(expected), str(expected))
