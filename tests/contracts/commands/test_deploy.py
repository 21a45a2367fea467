"""`gridpact chain deploy`: the same command finds, resumes or refuses, and never overwrites."""

import json

import pytest
from click.testing import CliRunner

from contracts.cli import chain
from contracts.connection.chain_web3 import rpc_chain
from contracts.deployment import Deployment
from contracts.keystore import find_keystore
from contracts.local.anvil import anvil_node

PASSPHRASE = "only for these tests"
STRANGER = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"
NOBODY = "http://127.0.0.1:1"


def blocks(node):
    """Return how many blocks the chain has."""
    return rpc_chain(node)._w3.eth.block_number


def test_a_second_run_finds_the_contracts_and_sends_nothing(gridpact, node, tmp_path):
    first = gridpact("chain", "deploy", "--chain", node)
    text, sent = (tmp_path / "deployments" / "31337.json").read_text("utf-8"), blocks(node)

    again = gridpact("chain", "deploy", "--chain", node)
    told = json.loads(gridpact("chain", "deploy", "--chain", node, "--json"))

    assert first == "deployed; contracts named in deployments/31337.json\n"
    assert again == (
        "deployed already, on the same terms; contracts named in deployments/31337.json\n"
    )
    assert (told["created"], told["chain_id"]) == (0, 31337)
    assert (tmp_path / "deployments" / "31337.json").read_text("utf-8") == text
    assert blocks(node) == sent


def test_other_terms_are_refused_with_what_differs(gridpact, node):
    gridpact("chain", "deploy", "--chain", node)
    sent = blocks(node)

    said = gridpact(
        *("chain", "deploy", "--chain", node),
        *("--fee-bp", "500", "--market", STRANGER, "--interval-s", "3600"),
        code=1,
    )

    market = rpc_chain(node).unlocked()[1]
    assert f"market {market} and not {STRANGER}" in said
    assert "interval_s 1800 and not 3600, fee_bp 1000 and not 500;" in said
    assert "name another file with --deployment" in said
    assert blocks(node) == sent


def test_an_owner_who_forgot_the_account_is_told_which(
    gridpact, node, kept_account, passphrase_file, fund
):
    fund(kept_account)
    signed = ("--account", kept_account, "--passphrase-file", passphrase_file)
    gridpact("chain", "deploy", "--chain", node, *signed)

    said = gridpact("chain", "deploy", "--chain", node, code=1)

    first = rpc_chain(node).unlocked()[0]
    assert f"has owner {kept_account} and not {first}; " in said
    assert f"it belongs to {kept_account}: add --account {kept_account}, " in said


def test_other_terms_in_another_file_are_another_fleet(gridpact, node, tmp_path):
    gridpact("chain", "deploy", "--chain", node)
    gridpact("chain", "deploy", "--chain", node, "--fee-bp", "500", "--deployment", "two.json")

    one = Deployment.load(tmp_path / "deployments" / "31337.json")
    two = Deployment.load(tmp_path / "two.json")
    assert len({one.fleet, one.settlement, one.token, two.fleet, two.settlement, two.token}) == 6


def test_an_interrupted_run_goes_on_with_what_is_there(
    gridpact, node, tmp_path, kept_account, passphrase_file, fund
):
    signed = ("--account", kept_account, "--passphrase-file", passphrase_file)
    given = ("chain", "deploy", "--chain", node, *signed, "--market", STRANGER)
    path = tmp_path / "deployments" / "31337.json"
    fund(kept_account, 4 * 10**15)  # enough for the token, not for the fleet

    gridpact(*given, code=1)
    half = json.loads(path.read_text("utf-8"))
    unfinished = gridpact("chain", "mint", "1", "--chain", node, *signed, code=1)
    fund(kept_account)
    whole = json.loads(gridpact(*given, "--json"))

    (token,) = half["created"].values()
    assert "fleet" not in half
    assert "is unfinished; run `gridpact chain deploy` once more" in unfinished
    assert (whole["token"], whole["created"], whole["owner"]) == (token, 2, kept_account)
    assert json.loads(path.read_text("utf-8"))["fleet"] == whole["fleet"]


def test_an_address_file_of_another_chain_is_not_overwritten(gridpact, node, tmp_path):
    path = tmp_path / "own.json"
    gridpact("chain", "deploy", "--chain", node, "--deployment", path)
    text = path.read_text("utf-8").replace('"chain_id": 31337', '"chain_id": 5')
    path.write_text(text, "utf-8")

    said = gridpact("chain", "deploy", "--chain", node, "--deployment", path, code=1)

    assert "is of chain 5, the node serves 31337; " in said
    assert path.read_text("utf-8") == text


def test_a_file_of_a_chain_that_was_begun_afresh_is_told(gridpact, node, tmp_path, needs_anvil):
    gridpact("chain", "deploy", "--chain", node)
    text = (tmp_path / "deployments" / "31337.json").read_text("utf-8")

    with anvil_node() as other:
        said = gridpact("chain", "deploy", "--chain", other, code=1)

    assert "where chain 31337 has no contract; was the chain begun afresh?" in said
    assert (tmp_path / "deployments" / "31337.json").read_text("utf-8") == text


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"chain_id": "1"}', '{"terms": 1}', "\xff"])
def test_a_file_of_something_else_is_left_alone(gridpact, node, tmp_path, text):
    path = tmp_path / "own.json"
    path.write_text(text, "latin-1")

    said = gridpact("chain", "deploy", "--chain", node, "--deployment", path, code=1)

    assert str(path) in said
    assert path.read_text("latin-1") == text


def test_a_file_without_its_terms_is_left_alone(gridpact, node, tmp_path):
    path = tmp_path / "own.json"
    gridpact("chain", "deploy", "--chain", node, "--deployment", path)
    Deployment.load(path).save(path)

    said = gridpact("chain", "deploy", "--chain", node, "--deployment", path, code=1)

    assert "does not state its terms" in said


def test_a_fleet_is_run_with_a_key_that_no_node_holds(
    gridpact, node, tmp_path, kept_account, passphrase_file, fund
):
    fund(kept_account)
    signed = ("--chain", node, "--account", kept_account, "--passphrase-file", passphrase_file)
    (tmp_path / "members.csv").write_text(
        f"account,capacity_wh,grid_power_w\n{kept_account},100,60\n", "utf-8"
    )

    gridpact("chain", "deploy", *signed, "--market", STRANGER)

    assert gridpact("chain", "mint", "1000", *signed) == "the owner holds 1000.000000\n"
    assert gridpact("chain", "bond", "50.5", *signed) == "the bond holds 50.500000\n"
    assert gridpact("chain", "enrol", "members.csv", *signed) == "1 member enrolled\n"
    assert gridpact("chain", "claim", "--date", "2026-06-01", *signed) == (
        f"{kept_account} was paid 0.000000\n"
    )


def test_a_passphrase_is_asked_for_where_no_file_is_given(
    gridpact, node, tmp_path, kept_account, passphrase_file, fund
):
    fund(kept_account)
    given = ["deploy", "--chain", node, "--account", kept_account, "--market", STRANGER]

    typed = CliRunner().invoke(chain, given, input=f"{PASSPHRASE}\n")

    assert typed.exit_code == 0
    assert typed.stderr == f"Passphrase of {kept_account}: \n"
    assert typed.stdout == "deployed; contracts named in deployments/31337.json\n"


def test_a_wrong_passphrase_sends_nothing(gridpact, node, tmp_path, kept_account, passphrase_file):
    passphrase_file.write_text("another passphrase", "utf-8")
    keystore = find_keystore(tmp_path / ".gridpact" / "keys", kept_account)

    said = gridpact(
        *("chain", "deploy", "--chain", node, "--market", STRANGER),
        *("--account", kept_account, "--passphrase-file", passphrase_file),
        code=1,
    )

    assert f"wrong passphrase for {keystore.path}, or the file is damaged" in said
    assert not (tmp_path / "deployments").exists()


def test_only_the_owner_s_account_runs_the_fleet(gridpact, node, kept_account, passphrase_file):
    gridpact("chain", "deploy", "--chain", node)
    signed = ("--account", kept_account, "--passphrase-file", passphrase_file)

    said = gridpact("chain", "mint", "1", "--chain", node, *signed, code=1)

    owner = rpc_chain(node).unlocked()[0]
    assert f"{kept_account} does not own the fleet, {owner} does; send from that one" in said


def test_an_owner_whose_key_nobody_holds_is_told(
    gridpact, node, kept_account, passphrase_file, fund
):
    fund(kept_account)
    signed = ("--account", kept_account, "--passphrase-file", passphrase_file)
    gridpact("chain", "deploy", "--chain", node, *signed, "--market", STRANGER)

    said = gridpact("chain", "mint", "1", "--chain", node, code=1)

    assert f"sign here with --account {kept_account}" in said


def test_an_owner_who_cannot_sign_is_told_before_anything_is_sent(gridpact, node, tmp_path):
    sent = blocks(node)

    said = gridpact("chain", "deploy", "--chain", node, "--owner", STRANGER, code=1)

    assert f"the node does not hold the key of {STRANGER}; sign here with --account" in said
    assert blocks(node) == sent
    assert not (tmp_path / "deployments").exists()


def test_a_key_that_nobody_holds_is_told(gridpact, node, tmp_path):
    gridpact("chain", "deploy", "--chain", node)
    claim = ("chain", "claim", "--date", "2026-06-01", "--chain", node, "--account", STRANGER)

    unnamed = gridpact(*claim, code=1)
    named = gridpact(*claim, "--keys", tmp_path, code=1)

    assert f"neither the node nor {tmp_path}/.gridpact/keys holds the key of {STRANGER}" in unnamed
    assert f"no key of {STRANGER} in {tmp_path}; name its folder with --keys" in named


def test_the_next_node_is_asked_where_the_first_is_silent(gridpact, node):
    gridpact("chain", "deploy", "--chain", NOBODY, "--chain", node)

    assert gridpact("chain", "mint", "1", "--chain", NOBODY, "--chain", node) == (
        "the owner holds 1.000000\n"
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("mint", "1", "--keys", "k"), "need --account"),
        (("mint", "1", "--passphrase-file", "p"), "need --account"),
        (("mint", "1", "--account", "0x1"), "is no address"),
        (("claim", "--date", "2026-06-01"), "Missing option '--account'"),
        (("deploy", "--account", STRANGER, "--owner", f"0x{1:040x}"), "--account and --owner"),
        (("deploy", "--grace-s", "-1"), "--grace-s"),
        (("status", "--chain", "me:secret@node:8545/key"), "'node:8545' is no URL of a node"),
    ],
)
def test_wrong_use_is_told_before_a_node_is_asked(gridpact, given, said):
    assert said in gridpact("chain", *given, "--chain", NOBODY, code=2)
