"""Authorities that stamp the time (RFC 3161): one of our own for trying out, or one that is asked over the network."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import tempfile
from datetime import timedelta
from http.client import HTTPException
from pathlib import Path
from typing import Protocol
from urllib.request import Request, urlopen

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from backend.plugin_api import current_settings, utcnow

ANSWER_SECONDS = 10.0
LARGEST_ANSWER = 100_000

CONFIGURATION = """\
[tsa]
serial = serial
signer_cert = signer.pem
signer_key = signer.key
signer_digest = sha256
default_policy = 1.3.6.1.4.1.13762.3
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


class Unanswered(Exception):
    """An authority gave no stamp, or one that cannot be used; the message is a Chinese sentence."""


class Authority(Protocol):
    """Who stamps the time; `name` is what roots say of it."""

    name: str

    def answer(self, request: bytes) -> bytes:
        """Return the reply to a request, both DER; raises Unanswered."""

    def certificates(self) -> str:
        """Return the CA certificates that its signature leads to, as PEM; empty when none are known."""


def chosen_authority() -> Authority | None:
    """Return the authority of the settings."""
    settings = current_settings()
    name = settings.timestamp_authority or ("local" if settings.mode == "demo" else "none")
    if name == "none":
        return None
    if name == "local":
        return LocalAuthority(settings.data_dir / "timestamp_authority")
    return RemoteAuthority(name, settings.timestamp_certificates)


class RemoteAuthority:
    """An authority at an address, asked over HTTP (RFC 3161, 3.4)."""

    def __init__(self, address: str, certificates: str) -> None:
        self.name = address
        self._certificates = certificates

    def answer(self, request: bytes) -> bytes:
        """Ask once, with a time limit."""
        headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
        try:
            with urlopen(Request(self.name, request, headers), timeout=ANSWER_SECONDS) as answer:  # noqa: S310
                reply: bytes = answer.read(LARGEST_ANSWER)
        except (OSError, HTTPException, ValueError) as error:
            raise Unanswered(f"时间戳服务没有应答：{error}") from error
        return reply

    def certificates(self) -> str:
        """Read them from the file that the operator named."""
        if not self._certificates:
            return ""
        try:
            return Path(self._certificates).read_text(encoding="ascii")
        except (OSError, ValueError) as error:
            raise Unanswered(f"时间戳服务的 CA 证书读不出来：{error}") from error


class LocalAuthority:
    """An authority of this machine's openssl, with keys in a folder: it shows the way, and proves nothing to others."""

    name = "local"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def answer(self, request: bytes) -> bytes:
        """Let openssl answer; one at a time, for it counts serial numbers in a file."""
        openssl = openssl_path()
        self._furnish()
        with tempfile.TemporaryDirectory() as name, (self.folder / "lock").open("w") as lock:
            query, reply = Path(name) / "query", Path(name) / "reply"
            query.write_bytes(request)
            fcntl.flock(lock, fcntl.LOCK_EX)
            command = [openssl, "ts", "-reply", "-config", "authority.cnf", "-section", "tsa"]
            run_openssl([*command, "-queryfile", str(query), "-out", str(reply)], self.folder)
            return reply.read_bytes()

    def certificates(self) -> str:
        """Return the one of its own CA."""
        self._furnish()
        return (self.folder / "ca.pem").read_text(encoding="ascii")

    def _furnish(self) -> None:
        """Make keys and certificates in a folder beside and move that into place: there is all of it, or nothing."""
        if self.folder.exists():
            return
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=self.folder.parent, prefix=f"{self.folder.name}."))
        write_authority(fresh)
        try:
            fresh.rename(self.folder)
        except OSError:  # another process was faster
            shutil.rmtree(fresh)


def write_authority(folder: Path) -> None:
    """Write a CA certificate, a signer with its key, and openssl's configuration into an empty folder."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name, name = _named("清序本地时间戳 CA（仅供试用）"), _named("清序本地时间戳（仅供试用）")
    ca = _builder(ca_name, ca_name, ca_key.public_key()).add_extension(x509.BasicConstraints(True, 0), critical=True)
    purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    signer = _builder(name, ca_name, key.public_key()).add_extension(purpose, critical=True)
    (folder / "ca.pem").write_bytes(ca.sign(ca_key, SHA256()).public_bytes(Encoding.PEM))
    (folder / "signer.pem").write_bytes(signer.sign(ca_key, SHA256()).public_bytes(Encoding.PEM))
    # The CA's key is forgotten: nothing else is ever to be signed by it.
    (folder / "signer.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (folder / "serial").write_text("01\n", encoding="ascii")
    (folder / "authority.cnf").write_text(CONFIGURATION, encoding="ascii")


def openssl_path() -> str:
    """Return where openssl is; raises Unanswered."""
    found = shutil.which("openssl")
    if found is None:
        raise Unanswered("本机没有 openssl 程序。")
    return found


def run_openssl(command: list[str], folder: Path) -> None:
    """Run a command of openssl; raises Unanswered with its last line."""
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=ANSWER_SECONDS)
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().splitlines() or [str(error)]
        raise Unanswered(f"openssl 拒绝：{said[-1][:200]}") from error
    except (subprocess.TimeoutExpired, OSError) as error:
        raise Unanswered(f"openssl 没有完成：{error}") from error


def _named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = utcnow()
    return x509.CertificateBuilder(
        issuer, subject, key, x509.random_serial_number(), now - timedelta(days=1), now + timedelta(days=365 * 30)
    )
