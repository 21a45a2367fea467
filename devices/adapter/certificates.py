"""Certificates for one adapter: an authority of its own, and what it signs for server and clients.

The authority signs nothing but this adapter and its gateways; a client that trusts only its file
cannot be led to another broker, and no public authority has to know an address in a house.
"""

import ipaddress
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from devices.errors import DeviceConfigError

VALID: Final = timedelta(days=10 * 365)
"""How long certificates are good for: about as long as the device."""
_EARLIER: Final = timedelta(days=1)
"""Clocks in houses run late: certificates are good from a day before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFiles:
    """The files of one adapter; keys can be read by their owner only."""

    ca: Path
    """The authority's certificate: what clients are given."""
    certificate: Path
    """The adapter's certificate."""
    key: Path
    """The adapter's private key."""
    client_certificate: Path
    """A gateway's certificate, for adapters that ask for one."""
    client_key: Path
    """The gateway's private key."""


def files_in(folder: Path) -> CertificateFiles:
    """Return where a folder's certificates are, whether or not they have been made."""
    return CertificateFiles(
        ca=folder / "ca.pem",
        certificate=folder / "adapter.pem",
        key=folder / "adapter.key",
        client_certificate=folder / "gateway.pem",
        client_key=folder / "gateway.key",
    )


def make_certificates(folder: Path, *, hosts: tuple[str, ...], now: datetime) -> CertificateFiles:
    """Write an authority's, an adapter's and a gateway's certificate into a folder.

    The authority's own key is thrown away: nobody can sign another adapter in its name.

    Parameters
    ----------
    folder : Path
        Where the files go; made if it is missing. Files of an earlier time are not overwritten.
    hosts : tuple of str
        Host names and IP addresses under which clients reach the adapter.
    now : datetime
        The present time, aware.

    Raises
    ------
    DeviceConfigError
        If no host is given, files are there already, or the folder cannot be written.
    """
    if not hosts:
        msg = f"certificates in {folder}: no host given; name the adapter's host or address"
        raise DeviceConfigError(msg)
    files = files_in(folder)
    ca_key, server_key, client_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    subject = _name(f"Gridpact adapter {hosts[0]}"[:64])
    ca = (
        _draft(subject, ca_key.public_key(), now, issuer=subject)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    server = _leaf(
        hosts[0], server_key, now, ca=ca, usage=ExtendedKeyUsageOID.SERVER_AUTH, hosts=hosts
    )
    client = _leaf(
        "gateway", client_key, now, ca=ca, usage=ExtendedKeyUsageOID.CLIENT_AUTH, hosts=("gateway",)
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, certificate in (
            (files.ca, ca),
            (files.certificate, server.sign(ca_key, hashes.SHA256())),
            (files.client_certificate, client.sign(ca_key, hashes.SHA256())),
        ):
            _write(path, certificate.public_bytes(serialization.Encoding.PEM), mode=0o644)
        for path, key in ((files.key, server_key), (files.client_key, client_key)):
            _write(path, _key_bytes(key), mode=0o600)
    except OSError as error:
        msg = f"certificates in {folder} cannot be written ({error.strerror}); name another folder"
        raise DeviceConfigError(msg) from error
    return files


def _leaf(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    now: datetime,
    *,
    ca: x509.Certificate,
    usage: x509.ObjectIdentifier,
    hosts: tuple[str, ...],
) -> x509.CertificateBuilder:
    return (
        _draft(_name(name[:64]), key.public_key(), now, issuer=ca.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_host(each) for each in hosts]), critical=False)
    )


def _draft(
    subject: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, *, issuer: x509.Name
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLIER)
        .not_valid_after(now + VALID)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _host(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _key_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write(path: Path, content: bytes, *, mode: int) -> None:
    """Write a new file that has its mode from its first byte on."""
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(opened, "wb") as file:
        file.write(content)
