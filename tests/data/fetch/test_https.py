"""HTTPS with certificates made for the test: what cannot be verified is not taken."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.data.fetch.download import Policy, download
from pipeline.errors import UserError
from tests.data.fetch.archives import Watch, noise
from tests.data.fetch.server import Server, running

pytest.importorskip("cryptography", reason="certificates are made with cryptography")

DATA = noise(50_000)
ONCE = Policy(attempts=1, step=10**9, timeout=5.0)


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that vouches for itself, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def secure(files: tuple[Path, Path]) -> Iterator[Server]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    with running(context) as server:
        yield server


def test_a_certificate_that_nobody_vouches_for_is_refused(secure: Server, tmp_path: Path) -> None:
    served = secure.serve("data.zip", DATA)
    message = "certificate cannot be verified .*; check this computer's clock and certificates"
    with pytest.raises(UserError, match=message):
        download(secure.url("data.zip"), tmp_path / "data.zip", Watch(), ONCE)
    assert served.asked == []


def test_a_trusted_one_is_fine(
    secure: Server, tmp_path: Path, files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(files[0]))
    secure.serve("data.zip", DATA)
    download(secure.url("data.zip"), tmp_path / "data.zip", Watch(), ONCE)
    assert (tmp_path / "data.zip").read_bytes() == DATA


def test_a_redirect_away_from_https_is_not_followed(
    secure: Server,
    server: Server,
    tmp_path: Path,
    files: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(files[0]))
    open_one = server.serve("data.zip", DATA)
    secure.serve("data.zip", b"", location=server.url("data.zip"))
    with pytest.raises(UserError, match="not followed: the way there is not secured"):
        download(secure.url("data.zip"), tmp_path / "data.zip", Watch(), ONCE)
    assert open_one.asked == []
    server.serve("there.zip", b"", location=secure.url("good.zip"))
    secure.serve("good.zip", DATA)
    download(server.url("there.zip"), tmp_path / "data.zip", Watch(), ONCE)
    assert (tmp_path / "data.zip").read_bytes() == DATA
