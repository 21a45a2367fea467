"""The file of unconfirmed transactions: private, durable, and legible after anything."""

import sqlite3
from dataclasses import replace
from stat import S_IMODE

import pytest

from contracts.connection.chain_web3 import rpc_chain
from contracts.connection.journal import Attempt, Journal
from contracts.errors_connection import JournalError

ATTEMPT = Attempt(
    chain_id=7,
    sender="0xA",
    nonce=3,
    transaction_hash=b"\1" * 32,
    raw=b"\2\3",
    fields={"to": "0xB", "data": "0x01", "gas": 5},
)


def test_what_is_written_is_there_after_a_restart(tmp_path):
    path = tmp_path / "journal.db"
    raised = replace(ATTEMPT, transaction_hash=b"\4" * 32)
    earlier = replace(ATTEMPT, nonce=2, transaction_hash=b"\5" * 32)
    elsewhere = replace(ATTEMPT, chain_id=8, transaction_hash=b"\6" * 32)
    for attempt in (ATTEMPT, raised, earlier, elsewhere):
        Journal(path).add(attempt)

    assert Journal(path).unconfirmed(7) == [earlier, ATTEMPT, raised]
    Journal(path).drop(raised.transaction_hash)
    assert Journal(path).unconfirmed(7) == [earlier, ATTEMPT]
    Journal(path).close(7, "0xA", 3)
    assert Journal(path).unconfirmed(7) == [earlier]


def test_only_its_owner_reads_it(tmp_path):
    path = tmp_path / "journal.db"
    path.touch(0o644)

    journal = Journal(path)
    journal.add(ATTEMPT)

    files = sorted(tmp_path.iterdir())
    assert [each.name for each in files] == ["journal.db", "journal.db-shm", "journal.db-wal"]
    assert {S_IMODE(each.stat().st_mode) for each in files} == {0o600}


def test_it_is_on_the_disk_before_anything_is_sent(tmp_path):
    journal = Journal(tmp_path / "journal.db")
    journal.close(7, "0xA", 3, on_chain=True)

    journal.add(ATTEMPT)

    assert journal._base.execute("PRAGMA journal_mode").fetchall() == [("wal",)]
    assert journal._base.execute("PRAGMA synchronous").fetchall() == [(2,)]


def test_signed_bytes_are_not_shown():
    assert "raw" not in repr(ATTEMPT)


def test_a_file_of_something_else_is_not_touched(tmp_path):
    path = tmp_path / "journal.db"
    path.write_text("a letter, not a journal " * 99)

    with pytest.raises(JournalError) as failed:
        Journal(path)

    assert str(failed.value) == (
        f"journal {path} cannot be used (file is not a database); nothing was sent: free the disk, "
        "name another file, or remove this one once its transactions are known to be mined"
    )
    assert path.read_text() == "a letter, not a journal " * 99


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(JournalError, match="No such file or directory"):
        Journal(tmp_path / "absent" / "journal.db")


def test_nothing_is_sent_that_cannot_be_written_first(home, tmp_path):
    path = tmp_path / "journal.db"
    chain = home.chain(journal=path)
    with sqlite3.connect(path) as base:
        base.execute("DROP TABLE attempt")
    base.close()

    refused = home.send(chain)

    assert isinstance(refused, JournalError)
    assert home.nonce() == 0


def test_a_confirmed_transaction_leaves_the_journal(home, tmp_path):
    path = tmp_path / "journal.db"
    chain = home.chain(journal=path)

    home.send(chain)

    assert Journal(path).unconfirmed(chain.chain_id) == []
    assert rpc_chain(home.node, journal=path).recover() == []
