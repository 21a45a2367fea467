"""Keys in encrypted files: what opens them, what does not, and what nobody ever sees."""

import json
import shutil
import stat
from datetime import UTC, datetime

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct

from contracts.keystore import (
    Keystore,
    KeystoreError,
    find_keystore,
    keystores,
    new_keystore,
    read_passphrase,
    unlock,
)

CREATED = datetime(2026, 6, 1, 12, 30, 15, 250_000, tzinfo=UTC)
PASSPHRASE = "correct horse, Ätzkalk"
# The two test vectors of the Web3 Secret Storage definition; their passphrase is "testpassword".
KEY = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d"
SCRYPT = {
    "crypto": {
        "cipher": "aes-128-ctr",
        "cipherparams": {"iv": "83dbcc02d8ccb40e466191a123791e0e"},
        "ciphertext": "d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c",
        "kdf": "scrypt",
        "kdfparams": {
            "dklen": 32,
            "n": 262144,
            "p": 8,
            "r": 1,
            "salt": "ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19",
        },
        "mac": "2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097",
    },
    "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6",
    "version": 3,
}
PBKDF2 = {
    "crypto": {
        "cipher": "aes-128-ctr",
        "cipherparams": {"iv": "6087dab2f9fdbbfaddc31a909735c1e6"},
        "ciphertext": "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
        "kdf": "pbkdf2",
        "kdfparams": {
            "c": 262144,
            "dklen": 32,
            "prf": "hmac-sha256",
            "salt": "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd",
        },
        "mac": "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2",
    },
    "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6",
    "version": 3,
}


@pytest.fixture
def keys(tmp_path):
    """Return where a folder of keys may be."""
    return tmp_path / "keys"


@pytest.fixture
def made(keys):
    """Return a keystore made here."""
    return new_keystore(keys, PASSPHRASE, created=CREATED, light=True)


def said(message, *arguments):
    """Return what a refusal says, once it is seen to be one line without the passphrase."""
    text = str(message.value)
    assert "\n" not in text
    assert PASSPHRASE not in text
    assert not any(argument in text for argument in arguments)
    return text


def test_a_new_key_is_found_and_signs_for_its_account(keys, made):
    account = unlock(find_keystore(keys, made.address), PASSPHRASE)

    signed = account.sign_message(encode_defunct(text="a report"))

    assert Account.recover_message(encode_defunct(text="a report"), signature=signed.signature) == (
        made.address
    )
    assert keystores(keys) == [made]


def test_a_new_key_is_for_its_owner_alone_and_named_as_geth_names_it(keys, made):
    digits = made.address[2:].lower()

    assert made.path.name == f"UTC--2026-06-01T12-30-15.250000000Z--{digits}"
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    assert json.loads(made.path.read_text("utf-8"))["address"] == digits


def test_a_key_of_full_strength_asks_for_the_work_that_geth_asks(keys):
    strong = new_keystore(keys, PASSPHRASE, created=CREATED)

    work = json.loads(strong.path.read_text("utf-8"))["crypto"]["kdfparams"]

    assert (work["n"], work["r"], work["p"], work["dklen"]) == (262_144, 8, 1, 32)
    assert unlock(strong, PASSPHRASE).address == strong.address


@pytest.mark.parametrize("body", [SCRYPT, PBKDF2], ids=["scrypt", "pbkdf2"])
def test_the_definition_s_own_examples_are_read(keys, body):
    keys.mkdir()
    address = Account.from_key(KEY).address
    (keys / "theirs.json").write_text(json.dumps({"address": address[2:], **body}), "utf-8")

    account = unlock(find_keystore(keys, address), "testpassword")

    assert account.address == address


def test_a_wrong_passphrase_is_told(made):
    with pytest.raises(KeystoreError) as refused:
        unlock(made, "wrong horse")

    assert said(refused, "wrong horse") == (
        f"wrong passphrase for {made.path}, or the file is damaged; try again"
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda body: "",
        lambda body: "[]",
        lambda body: "\0",
        lambda body: json.dumps(body)[:-20],
        lambda body: "[" * 100_000,
        lambda body: json.dumps(body | {"version": 1}),
        lambda body: json.dumps(body | {"crypto": "none"}),
        lambda body: json.dumps(body | {"crypto": {**body["crypto"], "kdf": "md5"}}),
        lambda body: json.dumps(body | {"crypto": {**body["crypto"], "ciphertext": "xyz"}}),
        lambda body: json.dumps(body | {"crypto": {**body["crypto"], "kdfparams": {}}}),
        lambda body: json.dumps(with_work(body, n=1 << 40)),
        lambda body: json.dumps(with_work(body, n=3)),
        lambda body: json.dumps(with_work(body, r=0)),
        lambda body: json.dumps(with_work(body, p="8")),
    ],
)
def test_a_damaged_file_is_told(made, change):
    body = json.loads(made.path.read_text("utf-8"))
    made.path.write_text(change(body), "utf-8")

    with pytest.raises(KeystoreError) as refused:
        unlock(made, PASSPHRASE)

    assert said(refused) == f"keystore {made.path} is damaged; restore it from its backup"


def with_work(body, **factors):
    """Return a keystore that asks for other work."""
    crypto = body["crypto"]
    return body | {"crypto": {**crypto, "kdfparams": {**crypto["kdfparams"], **factors}}}


def test_a_file_with_another_account_s_key_is_not_taken(keys, made):
    other = new_keystore(keys, PASSPHRASE, created=CREATED, light=True)
    shutil.copy(other.path, made.path)

    with pytest.raises(KeystoreError, match=f"holds the key of {other.address}, not of the"):
        unlock(made, PASSPHRASE)


def test_an_account_without_key_is_told(keys, made):
    stranger = Account.from_key(KEY).address

    with pytest.raises(KeystoreError) as refused:
        find_keystore(keys, stranger)

    assert said(refused) == f"no key of {stranger} in {keys}; name its folder with --keys"


def test_an_account_with_two_files_is_told(keys, made):
    shutil.copy(made.path, keys / "copy.json")

    with pytest.raises(KeystoreError, match="move all but one elsewhere"):
        find_keystore(keys, made.address)


def test_a_folder_that_is_absent_holds_no_keys(keys):
    assert keystores(keys) == []


def test_what_is_no_keystore_is_passed_over(keys, made):
    for name, text in {
        "notes.txt": "mine",
        "list.json": "[]",
        ".swap": "{}",
        "x.json": "{}",
    }.items():
        (keys / name).write_text(text, "utf-8")
    (keys / "folder").mkdir()

    assert keystores(keys) == [made]


def test_a_damaged_file_is_listed_by_its_name(made):
    made.path.write_text("", "utf-8")

    assert keystores(made.path.parent) == [Keystore(address=made.address, path=made.path)]


def test_a_folder_that_others_may_enter_takes_no_keys(keys):
    keys.mkdir(mode=0o755)

    with pytest.raises(KeystoreError) as refused:
        new_keystore(keys, PASSPHRASE, created=CREATED)

    assert said(refused) == f"keys folder {keys} is open to others; run `chmod 700 {keys}`"
    assert keystores(keys) == []


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("", "utf-8")

    with pytest.raises(KeystoreError, match="cannot be made"):
        new_keystore(tmp_path / "file" / "keys", PASSPHRASE, created=CREATED)


def test_a_short_passphrase_makes_no_key(keys):
    with pytest.raises(KeystoreError, match="passphrase has 7 characters; give 8 or more"):
        new_keystore(keys, "1234567", created=CREATED)

    assert not keys.exists()


@pytest.mark.parametrize("text", [PASSPHRASE, f"{PASSPHRASE}\n", f"{PASSPHRASE}\r\n"])
def test_a_passphrase_is_read_from_a_file_of_its_owner(tmp_path, text):
    path = tmp_path / "passphrase"
    path.write_bytes(text.encode())
    path.chmod(0o600)

    assert read_passphrase(path) == PASSPHRASE


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620])
def test_a_passphrase_that_others_may_read_is_refused(tmp_path, mode):
    path = tmp_path / "passphrase"
    path.write_text(PASSPHRASE, "utf-8")
    path.chmod(mode)

    with pytest.raises(KeystoreError) as refused:
        read_passphrase(path)

    assert said(refused) == f"passphrase file {path} is open to others; run `chmod 600 {path}`"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "has 0 lines"),
        (b"\n", "has 1 lines"),
        (b"one passphrase\nanother one\n", "has 2 lines"),
        (b"\xff\xfe secret", "is not text in UTF-8"),
    ],
)
def test_a_file_without_one_passphrase_is_told_but_not_shown(tmp_path, content, problem):
    path = tmp_path / "passphrase"
    path.write_bytes(content)
    path.chmod(0o600)

    with pytest.raises(KeystoreError) as refused:
        read_passphrase(path)

    assert problem in said(refused, "one passphrase", "secret")


def test_a_missing_passphrase_file_is_told(tmp_path):
    with pytest.raises(KeystoreError, match="cannot be read"):
        read_passphrase(tmp_path / "none")
