"""Commands that move money: what an earlier run left under way is told, never sent again."""

import pytest
from web3 import HTTPProvider, Web3

from contracts.client import connect
from contracts.connection.chain_web3 import rpc_chain
from contracts.connection.patience import Patience
from contracts.deployment import Deployment
from contracts.errors_connection import TransactionPendingError
from contracts.keystore import find_keystore, unlock

PASSPHRASE = "only for these tests"


@pytest.fixture
def own_fleet(gridpact, node, kept_account, passphrase_file, fund):
    """Deploy a fleet of the kept account, with play money; return the options that send for it."""
    fund(kept_account)
    signing = ("--chain", node, "--account", kept_account, "--passphrase-file", passphrase_file)
    signing += ("--keys", ".gridpact/keys")
    gridpact("chain", "deploy", *signing, "--market", kept_account)
    gridpact("chain", "mint", "1000", *signing)
    return signing


def test_a_transaction_left_under_way_is_told_and_nothing_sent_after_it(
    gridpact, node, tmp_path, kept_account, own_fleet
):
    w3 = Web3(HTTPProvider(node))
    keys = tmp_path / ".gridpact" / "keys"
    (path,) = (tmp_path / "deployments").glob("*.json")
    deployment = Deployment.load(path)
    w3.provider.make_request("evm_setAutomine", [False])
    interrupted = rpc_chain(
        node,
        signers=[unlock(find_keystore(keys, kept_account), PASSPHRASE)],
        journal=keys / "journal" / f"{deployment.chain_id}-{kept_account}.sqlite",
        patience=Patience(receipt_timeout_s=0.3),
    )
    ledger = connect(interrupted, deployment)
    with pytest.raises(TransactionPendingError):
        ledger.token.mint(kept_account, 5_000_000, owner=kept_account)
    w3.provider.make_request("evm_setAutomine", [True])
    w3.provider.make_request("evm_mine", [])

    told = gridpact("chain", "bond", "5", *own_fleet, code=1)
    bonded = gridpact("chain", "bond", "5", *own_fleet)

    assert "an earlier command left a transaction: call 0x40c10f19" in told
    assert "took effect" in told
    assert "nothing new was sent" in told
    assert bonded == "the bond holds 5.000000\n"


def test_a_fee_cap_below_the_chain_s_fee_is_told(gridpact, own_fleet):
    told = gridpact("chain", "bond", "5", *own_fleet, "--fee-cap-gwei", "0", code=1)

    assert told.startswith("gridpact: ")


def test_fees_and_losses_of_nothing_are_nothing(gridpact, own_fleet):
    assert gridpact("chain", "claim-fee", *own_fleet) == "the owner was paid 0.000000\n"
    assert gridpact("chain", "claim-losses", *own_fleet) == "the market was paid 0.000000\n"
