"""Bytes as text that fits into URLs and headers: base64url without padding (RFC 4648 §5)."""

from __future__ import annotations

import base64
import binascii
import re

_ALPHABET = re.compile(r"[A-Za-z0-9_-]+")


def encode(data: bytes) -> str:
    """Return the text that stands for some bytes."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes | None:
    """Return what a text stands for, with or without padding; None: it is no base64url."""
    bare = text.rstrip("=")
    if not _ALPHABET.fullmatch(bare):
        return None
    try:
        return base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
    except binascii.Error:
        return None
