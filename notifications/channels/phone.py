"""Phone numbers, as providers want them."""

from __future__ import annotations

import re

import phonenumbers

from notifications.exceptions import PermanentError
from notifications.types import Reason

#: How people write numbers. libphonenumber reads more: letters of keypads, extensions, digits of other scripts.
_WRITTEN = re.compile(r"\+?[0-9 ()./-]{3,30}")


def e164(text: str, region: str = "") -> str:
    """
    Return a number in E.164, such as +4917012345678; raise `PermanentError` if it cannot be one.

    `region`: country (ISO 3166) of numbers without `+`. Only the length is judged: which numbers are given out changes
    faster than any library, and the provider knows.
    """
    if not _WRITTEN.fullmatch(text):
        raise _invalid()
    try:
        number = phonenumbers.parse(text, region or None)
    except phonenumbers.NumberParseException as e:
        raise _invalid() from e
    if not phonenumbers.is_possible_number(number):
        raise _invalid()
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _invalid() -> PermanentError:
    return PermanentError("This is no phone number.", code="bad_number", reason=Reason.INVALID_ADDRESS)
