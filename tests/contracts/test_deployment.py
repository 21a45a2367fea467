"""Where the contracts are, and what happens when they are not."""

from dataclasses import replace

import pytest

from contracts.client import Terms, connect, deploy
from contracts.deployment import Deployment
from contracts.errors import ChainMismatchError, DeploymentFileError, FleetIntervalLength

DEPLOYMENT = Deployment(
    chain_id=31337, interval_s=1800, owner="0x1", fleet="0x2", settlement="0x3", token="0x4"
)


def test_a_deployment_is_read_as_it_was_written(tmp_path):
    DEPLOYMENT.save(tmp_path / "deployment.json")

    assert Deployment.load(tmp_path / "deployment.json") == DEPLOYMENT


def test_a_missing_file_is_told_in_one_line(tmp_path):
    with pytest.raises(DeploymentFileError) as failed:
        Deployment.load(tmp_path / "none.json")

    assert str(failed.value) == (
        f"no deployment at {tmp_path / 'none.json'}; deploy the contracts or name their file"
    )


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"chain_id": 1}', "null", "\0", '{"chain_id": "1"}']
)
def test_a_file_of_something_else_is_told_in_one_line(tmp_path, text):
    path = tmp_path / "deployment.json"
    path.write_text(text)

    with pytest.raises(DeploymentFileError) as failed:
        Deployment.load(path)

    assert "\n" not in str(failed.value)
    assert str(path) in str(failed.value)


def test_a_file_that_is_not_text_is_told_in_one_line(tmp_path):
    path = tmp_path / "deployment.json"
    path.write_bytes(b"\xff\xfe\xff")

    with pytest.raises(DeploymentFileError, match="cannot be read"):
        Deployment.load(path)


def test_another_chain_is_not_connected_to(empty_world):
    with pytest.raises(ChainMismatchError, match="is on chain 1, the node serves "):
        connect(empty_world.chain, replace(empty_world.deployment, chain_id=1))


@pytest.mark.parametrize("name", ["fleet", "settlement", "token"])
def test_an_address_without_contract_is_not_connected_to(empty_world, name):
    nowhere = replace(empty_world.deployment, **{name: empty_world.stranger})

    with pytest.raises(ChainMismatchError, match=f"(?i)where (the )?{name} should be"):
        connect(empty_world.chain, nowhere)


def test_a_fleet_of_odd_intervals_cannot_be_deployed(empty_world):
    with pytest.raises(FleetIntervalLength) as refused:
        deploy(
            empty_world.chain,
            owner=empty_world.owner,
            market=empty_world.market,
            terms=Terms(interval_s=1200),
        )

    assert refused.value.interval_s == 1200


@pytest.mark.parametrize("interval_s", [900, 1800, 3600])
def test_a_fleet_settles_in_a_token_that_is_there(empty_world, interval_s):
    deployment = deploy(
        empty_world.chain,
        owner=empty_world.owner,
        market=empty_world.market,
        terms=Terms(interval_s=interval_s),
        token=empty_world.deployment.token,
    )

    ledger = connect(empty_world.chain, deployment)

    assert deployment.token == empty_world.deployment.token
    assert deployment.interval_s == ledger.fleet.interval_s() == interval_s
