"""Certificates that an adapter and its gateways can use, and nobody else can read."""

import ipaddress
import stat
from datetime import UTC, datetime

import pytest
from cryptography import x509

from devices.adapter.certificates import make_certificates
from devices.errors import DeviceConfigError

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def test_keys_can_be_read_by_their_owner_only_and_the_authority_has_none(tmp_path):
    files = make_certificates(tmp_path / "new", hosts=("127.0.0.1",), now=NOW)

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "new").iterdir()}

    assert modes["adapter.key"] == modes["gateway.key"] == 0o600
    assert set(modes) == {"ca.pem", "adapter.pem", "adapter.key", "gateway.pem", "gateway.key"}
    assert b"PRIVATE" not in files.ca.read_bytes()


def test_the_certificate_carries_names_and_addresses(tmp_path):
    files = make_certificates(tmp_path, hosts=("sunadp.local", "192.168.1.9"), now=NOW)

    certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    assert names.get_values_for_type(x509.DNSName) == ["sunadp.local"]
    assert names.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address("192.168.1.9")]
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(files.ca.read_bytes()))


def test_certificates_of_an_earlier_time_are_not_overwritten(tmp_path):
    files = make_certificates(tmp_path, hosts=("a",), now=NOW)
    before = files.key.read_bytes()

    with pytest.raises(DeviceConfigError, match="cannot be written"):
        make_certificates(tmp_path, hosts=("a",), now=NOW)

    assert files.key.read_bytes() == before


def test_a_certificate_without_a_host_is_refused(tmp_path):
    with pytest.raises(DeviceConfigError, match="no host"):
        make_certificates(tmp_path, hosts=(), now=NOW)
