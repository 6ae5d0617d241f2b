"""Encrypts what only one browser can read: RFC 8291, on RFC 8188's aes128gcm."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

if TYPE_CHECKING:
    from collections.abc import Callable

_CURVE = ec.SECP256R1()
_RECORD_SIZE = 4096
#: The only record is the last one (RFC 8188 §2).
_LAST = b"\x02"


def encrypt(
    plain: bytes,
    *,
    browser_key: bytes,
    secret: bytes,
    new_key: Callable[[], ec.EllipticCurvePrivateKey] = lambda: ec.generate_private_key(_CURVE),
    new_salt: Callable[[], bytes] = lambda: os.urandom(16),
) -> bytes:
    """
    Return the body of a push message: one record, by a key and a salt of its own.

    `browser_key` and `secret` are the subscription's p256dh and auth; raise `ValueError` if the key is no point of P-256.
    """
    own, salt = new_key(), new_salt()
    own_key = own.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    shared = own.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, browser_key))
    material = _derived(shared, salt=secret, info=b"WebPush: info\0" + browser_key + own_key, length=32)
    key = _derived(material, salt=salt, info=b"Content-Encoding: aes128gcm\0", length=16)
    nonce = _derived(material, salt=salt, info=b"Content-Encoding: nonce\0", length=12)
    header = salt + _RECORD_SIZE.to_bytes(4) + bytes([len(own_key)]) + own_key
    return header + AESGCM(key).encrypt(nonce, plain + _LAST, None)


def _derived(material: bytes, *, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(material)
