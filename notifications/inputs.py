"""What may enter: plain JSON and safe links. Everything from outside passes here first."""

from __future__ import annotations

import json
import math
import re
from typing import Any
from urllib.parse import urlsplit

from notifications.exceptions import NotPlainData, UnsafeLink

MAX_BYTES = 16 * 1024
MAX_DEPTH = 8
MAX_LINK = 2048
#: Beyond this, JavaScript readers of the JSON see another number.
MAX_INTEGER = 2**53

_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True)
_SCALARS = (str, int, float, bool, type(None))
_FORBIDDEN_TEXT = re.compile("[\x00\ud800-\udfff]")
#: Controls, spaces and backslashes: browsers read them as something else than `urlsplit` does.
_FORBIDDEN_LINK = re.compile(r"[\x00-\x20\x7f-\x9f\\\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def plain_json(value: Any, name: str) -> str:
    """Return `value` as compact JSON with sorted keys; raise `NotPlainData` naming the part that is not plain."""
    check_plain(value, name)
    text = _COMPACT.encode(value)
    size = len(text.encode())
    if size > MAX_BYTES:
        message = f"{name} is {size} bytes as JSON; at most {MAX_BYTES}. Pass ids and short texts, not documents."
        raise NotPlainData(message)
    return text


def safe_link(url: object) -> str:
    """Return `url` if it is http(s) with a host, or a path on this site; else raise `UnsafeLink`."""
    if not isinstance(url, str):
        raise UnsafeLink(f"The link must be text, not {type(url).__name__}.")
    if not url:
        return url
    if len(url) > MAX_LINK or _FORBIDDEN_LINK.search(url):
        raise UnsafeLink(f"The link {url[:80]!r} has forbidden characters or over {MAX_LINK} of them; encode them.")
    try:
        parts = urlsplit(url)
    except ValueError as e:
        raise UnsafeLink(f"The link {url[:80]!r} cannot be read: {e}.") from e
    if parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc:
        return url
    if not parts.scheme and not parts.netloc and url.startswith("/") and not url.startswith("//"):
        return url
    raise UnsafeLink(f"The link {url[:80]!r} is refused: use https://… or a path such as /orders/42/.")


def check_plain(value: Any, name: str, *, depth: int = 1) -> None:
    """Raise `NotPlainData` naming the part of `value` that is not plain JSON."""
    if depth > MAX_DEPTH:
        raise NotPlainData(f"{name} is nested deeper than {MAX_DEPTH} levels.")
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise NotPlainData(f"{name} has the key {key!r} of type {type(key).__name__}; keys are text.")
            check_plain(key, f"a key of {name}", depth=depth)
            check_plain(item, f"{name}.{key}", depth=depth + 1)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            check_plain(item, f"{name}[{index}]", depth=depth + 1)
    elif type(value) not in _SCALARS:
        kind = type(value).__name__
        raise NotPlainData(f"{name} is a {kind}; pass plain JSON (text, numbers, lists, objects), for example str(…).")
    else:
        _check_scalar(value, name)


def check_text(value: str, name: str) -> None:
    """Raise `NotPlainData` if a text holds what databases and JSON readers cannot."""
    if _FORBIDDEN_TEXT.search(value):
        raise NotPlainData(f"{name} contains a NUL character or a lone surrogate; remove it.")


def _check_scalar(value: Any, name: str) -> None:
    if isinstance(value, str):
        check_text(value, name)
    if isinstance(value, float) and not math.isfinite(value):
        raise NotPlainData(f"{name} is {value}; JSON has no such number.")
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        raise NotPlainData(f"{name} is beyond ±2^53; pass it as text.")
