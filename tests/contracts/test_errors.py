"""One error in two languages, and functions that are what the ABI says."""

import pickle

import pytest

from contracts import errors, fleet_client, settlement_client
from contracts.abi import Function, event_topic, refusal
from contracts.artifact import load
from contracts.errors import (
    FleetIntervalOver,
    LedgerError,
    LedgerPanicError,
    LedgerRefusedError,
    OwnableUnauthorizedAccount,
)

CONTRACTS = ("Fleet", "Settlement", "TestToken")


def kind(entry) -> str:
    """Return an ABI entry's type, a tuple's written out."""
    if entry["type"].startswith("tuple"):
        return f"({','.join(map(kind, entry['components']))})" + entry["type"][5:]
    return entry["type"]


def signature(entry) -> str:
    return f"{entry['name']}({','.join(map(kind, entry['inputs']))})"


def entries(contract: str, sort: str):
    return [entry for entry in load(contract).abi if entry["type"] == sort]


def test_every_solidity_error_has_a_python_class_and_none_is_left_over():
    in_abi = {signature(entry) for contract in CONTRACTS for entry in entries(contract, "error")}

    ours = {error.signature for error in LedgerRefusedError.__subclasses__()}

    assert ours == in_abi | {LedgerPanicError.signature}


def test_every_refusal_bears_its_solidity_name():
    assert {
        error.__name__: error.signature.partition("(")[0]
        for error in LedgerRefusedError.__subclasses__()
        if error is not LedgerPanicError
    } == {
        entry["name"]: entry["name"]
        for contract in CONTRACTS
        for entry in entries(contract, "error")
    }


def test_every_error_of_the_module_is_a_ledger_error():
    found = [value for value in vars(errors).values() if isinstance(value, type)]

    assert all(
        issubclass(error, LedgerError) for error in found if issubclass(error, BaseException)
    )


@pytest.mark.parametrize("error", LedgerRefusedError.__subclasses__())
def test_every_refusal_speaks_one_line_with_all_its_values(error):
    types = [part for part in error.signature.partition("(")[2][:-1].split(",") if part]
    values = ["0xAbc" if kind == "address" else 60 + place for place, kind in enumerate(types)]

    refused = error(*values)

    text = str(refused)
    assert "\n" not in text
    assert "; " in text
    shown = "0x3c" if error is LedgerPanicError else None
    assert all((shown or str(value)) in text for value in values)
    assert repr(pickle.loads(pickle.dumps(refused))) == repr(refused)


def test_a_revert_is_decoded_with_its_values():
    error = Function("FleetIntervalOver(uint32,uint256)").encode(7, 99)

    assert repr(refusal(error)) == repr(FleetIntervalOver(7, 99))


def test_addresses_bear_their_checksum():
    account = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
    error = Function("OwnableUnauthorizedAccount(address)").encode(account.lower())

    assert repr(refusal(error)) == repr(OwnableUnauthorizedAccount(account))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "the contract refused without a reason; is it the contract you mean?"),
        (Function("Error(string)").encode("sold out"), "the contract refused: sold out"),
        (b"\1\2\3\4\5", "the contract refused with an unknown error 0x0102030405"),
        (
            Function("FleetSocRange(uint16)").selector,
            "the contract refused with FleetSocRange and values that cannot be read",
        ),
        (
            Function("Panic(uint256)").encode(0x11),
            "the contract panicked with code 0x11; report this as a bug",
        ),
    ],
)
def test_other_reverts_are_told_as_well_as_can_be(data, text):
    assert str(refusal(data)) == text


@pytest.mark.parametrize(
    ("module", "contracts"),
    [(fleet_client, ["Fleet"]), (settlement_client, ["Settlement", "TestToken"])],
)
def test_every_function_we_call_is_in_the_abi(module, contracts):
    called = {
        (each.signature, each.returns) for each in vars(module).values() if type(each) is Function
    }

    offered = {
        (signature(entry), tuple(map(kind, entry["outputs"])))
        for contract in contracts
        for entry in entries(contract, "function")
    }

    assert called <= offered


def test_the_events_we_read_are_in_the_abi():
    topics = {
        event_topic(signature(entry))
        for contract in ("Fleet", "Settlement")
        for entry in entries(contract, "event")
    }

    assert {
        fleet_client.REPORT_SKIPPED,
        settlement_client.CREDITS_CLAIMED,
        settlement_client.FEE_CLAIMED,
        settlement_client.LOSSES_CLAIMED,
    } <= topics
