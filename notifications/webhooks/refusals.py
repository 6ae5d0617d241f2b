"""What can be wrong with a callback, for the log and as a status. The answer says no more: anybody may have sent it."""

from __future__ import annotations


class Refused(Exception):
    """A callback that is not taken. The docstring is what the log says."""

    status = 400

    def __init__(self) -> None:
        super().__init__((self.__doc__ or "").strip().splitlines()[0])


class UnknownProvider(Refused):
    """There is no such provider here."""

    status = 404


class NoSecret(Refused):
    """This provider does not sign: set WEBHOOK_SECRET in ANYMAIL."""

    status = 404


class NotBelieved(Refused):
    """The signature or the secret is wrong, or it is too old."""

    status = 401


class Unreadable(Refused):
    """It cannot be read."""


class TooLong(Refused):
    """It is too long."""

    status = 413
