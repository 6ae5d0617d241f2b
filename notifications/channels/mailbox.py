"""One mailbox, and nothing that mail programs could read as two, or as more than an address."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from notifications.exceptions import PermanentError
from notifications.types import Reason

#: RFC 5321 §4.5.3.1.3: a path has 256 octets, two of them its brackets.
MAX_ADDRESS = 254
#: A dot-atom. RFC 5321 §4.1.2: who wants to receive mail avoids addresses that need quotes, and we refuse them.
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")


def one_mailbox(address: str) -> str:
    """Return the address if it is exactly one mailbox; Django would send "a@b.c, d@e.f" to both."""
    if not address:
        message = "There is no address."
        raise PermanentError(message, code="no_address", reason=Reason.NO_ADDRESS)
    if len(address) > MAX_ADDRESS or not address.isprintable():
        message = f"The address is longer than {MAX_ADDRESS} characters, or has some that cannot be printed."
        raise PermanentError(message, code="bad_address", reason=Reason.INVALID_ADDRESS)
    try:
        validate_email(address)
        _in_ascii(address)
    except (ValidationError, ValueError) as e:
        message = "The address is not one e-mail address."
        raise PermanentError(message, code="bad_address", reason=Reason.INVALID_ADDRESS) from e
    return address


def _in_ascii(address: str) -> None:
    """Raise `ValueError` if a mail server that knows ASCII only could not be told the address."""
    local_part, _, domain = address.rpartition("@")
    if not _LOCAL_PART.fullmatch(local_part):
        raise ValueError(local_part)
    domain.encode("idna")
