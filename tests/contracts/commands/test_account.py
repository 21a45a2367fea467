"""`gridpact chain account`: keys are made and listed, and passphrases stay unseen."""

import json
import stat

import pytest
from click.testing import CliRunner

from contracts.cli import chain
from contracts.keystore import find_keystore, unlock

PASSPHRASE = "only for these tests"


def test_a_passphrase_is_typed_twice_and_not_shown(tmp_path):
    typed = CliRunner().invoke(
        chain,
        ["account", "new", "--light", "--keys", str(tmp_path / "keys"), "--json"],
        input=f"{PASSPHRASE}\n{PASSPHRASE}\n",
    )

    made = json.loads(typed.stdout)
    keystore = find_keystore(tmp_path / "keys", made["address"])
    assert typed.exit_code == 0
    assert PASSPHRASE not in typed.output
    assert unlock(keystore, PASSPHRASE).address == made["address"]
    assert made["file"] == str(keystore.path)


def test_two_passphrases_that_differ_make_no_key(tmp_path):
    typed = CliRunner().invoke(
        chain,
        ["account", "new", "--keys", str(tmp_path / "keys")],
        input=f"{PASSPHRASE}\n{PASSPHRASE}!\n",
    )

    assert typed.exit_code == 1
    assert not (tmp_path / "keys").exists()


def test_keys_are_kept_in_the_user_s_own_folder_unless_said_otherwise(
    gridpact, tmp_path, passphrase_file
):
    said = gridpact("chain", "account", "new", "--light", "--passphrase-file", passphrase_file)
    listed = json.loads(gridpact("chain", "account", "list", "--json"))

    (path,) = (tmp_path / ".gridpact" / "keys").iterdir()
    assert [each["file"] for each in listed] == [str(path)]
    assert said.startswith(f"{listed[0]['address']}, its key in {path}: ")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_keys_yet_says_how_to_make_one(gridpact, tmp_path):
    said = gridpact("chain", "account", "list", "--keys", tmp_path / "none")

    assert said == f"no keys in {tmp_path / 'none'}; make one with `gridpact chain account new`\n"


def test_a_passphrase_file_that_others_may_read_is_refused(gridpact, passphrase_file, tmp_path):
    passphrase_file.chmod(0o644)

    said = gridpact("chain", "account", "new", "--passphrase-file", passphrase_file, code=1)

    assert f"run `chmod 600 {passphrase_file}`" in said
    assert not (tmp_path / ".gridpact").exists()


@pytest.mark.parametrize("argument", ["--passphrase", "--password"])
def test_a_passphrase_is_no_argument(gridpact, argument):
    assert "No such option" in gridpact("chain", "account", "new", argument, "secret", code=2)
