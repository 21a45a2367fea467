"""Signs of life on the datagram socket that a service manager listens at."""

import socket

import pytest

from hems.agent.signs_of_life import SignsOfLife, service_manager


@pytest.fixture
def manager():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.settimeout(5.0)
        yield listening


def test_each_sign_is_a_datagram_at_a_path(manager, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # addresses of sockets are short
    manager.bind("notify")
    signs = SignsOfLife("notify")

    signs.give()
    signs.give()

    assert [manager.recv(64), manager.recv(64)] == [b"WATCHDOG=1"] * 2


def test_nobody_listening_nobody_reading_and_nobody_named_disturb_nobody(
    manager, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    manager.bind("full")
    for address in (None, "gone", "full"):
        for _ in range(2_000):  # more than a socket keeps
            SignsOfLife(address).give()

    assert manager.recv(64) == b"WATCHDOG=1"


@pytest.mark.parametrize(("given", "address"), [(None, None), ("", None), ("@a", "@a")])
def test_the_environment_names_the_socket(monkeypatch, given, address):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    if given is not None:
        monkeypatch.setenv("NOTIFY_SOCKET", given)

    assert service_manager() == address
