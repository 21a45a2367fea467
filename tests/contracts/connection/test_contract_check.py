"""Whether an address holds the contract that we mean, on any chain."""

import pytest

from contracts.artifact import load
from contracts.connection.contract_check import check_contract
from contracts.errors_connection import ContractMismatchError

ABSENT = "0x00000000000000000000000000000000000000AA"


def holding(code: bytes) -> bytes:
    """Return what creates a contract of just this ``code``."""
    # PUSH2 length, DUP1, PUSH1 12, PUSH1 0, CODECOPY, PUSH1 0, RETURN
    return b"\x61" + len(code).to_bytes(2, "big") + bytes.fromhex("80600c6000396000f3") + code


@pytest.mark.parametrize(
    ("field", "contract"),
    [("fleet", "Fleet"), ("settlement", "Settlement"), ("token", "TestToken")],
)
def test_what_was_deployed_is_recognised_whatever_its_terms(world, field, contract):
    address = getattr(world.deployment, field)

    assert check_contract(world.chain, address, load(contract)) == "same"


def test_another_build_of_the_same_interface_is_recognised(world):
    code = world.chain.code(world.deployment.fleet)
    address = world.chain.deploy(world.owner, holding(code + b"\xfe"))

    assert check_contract(world.chain, address, load("Fleet")) == "compatible"


def test_one_changed_byte_is_another_build(world):
    code = bytearray(world.chain.code(world.deployment.fleet))
    code[-1] ^= 1
    address = world.chain.deploy(world.owner, holding(bytes(code)))

    assert check_contract(world.chain, address, load("Fleet")) == "compatible"


def test_another_contract_is_told_with_what_it_lacks(world):
    address = world.deployment.token

    with pytest.raises(ContractMismatchError) as failed:
        check_contract(world.chain, address, load("Fleet"))

    assert str(failed.value).startswith(
        f"the contract at {address} on chain 31337 is not our Fleet: it lacks "
    )
    assert str(failed.value).endswith(
        "more; mend the address, use the version that deployed it, or deploy afresh"
    )


def test_an_address_without_a_contract_is_told(world):
    with pytest.raises(ContractMismatchError) as failed:
        check_contract(world.chain, ABSENT, load("Fleet"))

    assert str(failed.value) == (
        f"no contract at {ABSENT}, where Fleet should be, on chain 31337; "
        "name the other chain or deploy afresh"
    )
