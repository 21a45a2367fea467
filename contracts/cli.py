"""`gridpact chain`: start a chain, keep keys, put the contracts there, admit members, move money.

The sub-commands are in `contracts.commands`. A sender's key comes from an encrypted keystore, or
stays in the node where the node holds the account unlocked, as development nodes do.
"""

import click

from contracts.commands.account import account_group
from contracts.commands.deploy import compile_command, deploy_command
from contracts.commands.dev import dev_command
from contracts.commands.members import (
    enrol_command,
    lapse_command,
    pause_command,
    retire_command,
    unpause_command,
)
from contracts.commands.money import (
    bond_command,
    claim_command,
    claim_fee_command,
    claim_losses_command,
    mint_command,
    retract_command,
)
from contracts.commands.status import status_command


@click.group()
def chain() -> None:
    """Start a chain, keep keys, deploy the contracts, admit members, move money."""


for command in (
    dev_command,
    account_group,
    deploy_command,
    status_command,
    enrol_command,
    retire_command,
    lapse_command,
    pause_command,
    unpause_command,
    mint_command,
    bond_command,
    claim_command,
    claim_fee_command,
    claim_losses_command,
    retract_command,
    compile_command,
):
    chain.add_command(command)
