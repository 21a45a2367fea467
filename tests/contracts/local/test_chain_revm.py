"""The chain of simulations."""

import subprocess
import sys

import pytest

from contracts.artifact import load
from contracts.chain import Call, TimeMachine
from contracts.errors import LedgerReplyError, OwnableInvalidOwner

pytest.importorskip("pyrevm", reason="pyrevm has no wheel for this Python and machine")

from contracts.local.chain_revm import RevmChain

NOBODY = "0x" + 40 * "0"
SOMEBODY = "0x" + 40 * "1"


@pytest.fixture
def chain():
    """Return an empty chain at the year 2001."""
    return RevmChain(start_timestamp=10**9)


def test_its_clock_goes_forward_only(chain):
    assert isinstance(chain, TimeMachine)
    chain.set_time(10**9 + 5)

    with pytest.raises(ValueError, match="cannot set the chain back from 1000000005 to 1000000004"):
        chain.set_time(10**9 + 4)

    assert chain.now_s() == 10**9 + 5


def test_a_constructor_can_refuse(chain):
    with pytest.raises(OwnableInvalidOwner) as refused:
        chain.deploy(SOMEBODY, load("TestToken").creation(NOBODY))

    assert refused.value.owner == NOBODY


def test_an_account_without_contract_has_no_code(chain):
    assert chain.code(SOMEBODY) == b""


def test_what_is_not_a_refusal_is_told_as_what_it_is(chain):
    # An invalid opcode burns all gas without a word.
    broken = chain.deploy(SOMEBODY, bytes.fromhex("60fe60005360016000f3"))

    with pytest.raises(LedgerReplyError, match="pyrevm stopped the call"):
        chain.call(Call(sender=SOMEBODY, to=broken, data=b""))


def test_a_refused_call_leaves_no_trace(chain):
    token = chain.deploy(SOMEBODY, load("TestToken").creation(SOMEBODY))
    before = chain.code(token)

    (refused,) = chain.send_all([Call(sender=NOBODY, to=token, data=b"\1\2\3\4")])

    assert isinstance(refused, Exception)
    assert chain.code(token) == before


def test_simulations_do_not_load_web3():
    program = (
        "import sys, contracts.promise, contracts.local.chain_revm, contracts.client\n"
        "assert not {'web3', 'eth_tester', 'eth'} & set(sys.modules)"
    )

    subprocess.run([sys.executable, "-c", program], check=True)
