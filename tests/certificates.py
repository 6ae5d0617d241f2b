"""Certificates for servers on loopback."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Certificate:
    """A certificate and its key, in files."""

    certificate: Path
    key: Path

    def server(self):
        """Return what a server speaks TLS with."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context

    def client(self):
        """Return what a client trusts the server by."""
        return ssl.create_default_context(cafile=str(self.certificate))


def self_signed(folder, ip):
    """Return a certificate for an IP address that nobody vouches for."""
    made = Certificate(folder / "certificate.pem", folder / "key.pem")
    subprocess.run(
        [
            shutil.which("openssl") or "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-keyout", str(made.key), "-out", str(made.certificate), "-days", "2",
            "-subj", "/CN=loopback", "-addext", f"subjectAltName=IP:{ip}",
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return made
