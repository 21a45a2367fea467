"""A private key for the gateway and the request that an authority signs for it (PKCS#10)."""

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hems.agent.setup.new_files import write_new


def make_request(key_path: Path, request_path: Path, *, name: str) -> None:
    """Write a new key, for its owner alone, and its request; neither may be there yet.

    Parameters
    ----------
    key_path, request_path : Path
        Where to.
    name : str
        Common name of the certificate asked for.

    Raises
    ------
    OSError
        If a file is there or cannot be written.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject)
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write_new(key_path, secret, mode=0o600)
    signed = request.sign(key, hashes.SHA256())
    write_new(request_path, signed.public_bytes(serialization.Encoding.PEM), mode=0o644)
