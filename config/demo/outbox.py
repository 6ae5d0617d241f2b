"""What went out: e-mails as files of Django's file backend, text messages as lines of the fake channel."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import lru_cache
from itertools import islice
from operator import attrgetter
from pathlib import Path

from django.conf import settings

#: Messages shown.
LIMIT = 40
#: Bytes read from the end of the file of text messages: a line has about 600.
_TAIL = 128 * 1024
#: What Django's file backend writes after each message.
_SEPARATOR = b"\n" + b"-" * 79 + b"\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message as it went out. `file` and `index` find an e-mail again; a text message has no file."""

    id: str
    channel: str
    at: datetime
    to: str
    subject: str
    text: str
    html: str = ""
    file: str = ""
    index: int = 0


def newest() -> list[Sent]:
    """Return the newest e-mails and text messages, newest first."""
    found = [*islice(_emails(), LIMIT), *_text_messages()]
    return sorted(found, key=attrgetter("at"), reverse=True)[:LIMIT]


def email(file: str, index: int) -> Sent | None:
    """Return one e-mail of `newest()` again, however many came after it."""
    path = _mail_folder() / f"{file}.log"
    if not path.is_file():
        return None
    emails = _read(path, *_version(path))
    return emails[index] if index < len(emails) else None


def _mail_folder() -> Path:
    return Path(getattr(settings, "EMAIL_FILE_PATH", None) or settings.DEMO_DIR / "mail")


def _emails() -> Iterator[Sent]:
    """Yield e-mails, those of the newest files first."""
    files = [(*_version(path), path) for path in _mail_folder().glob("*.log")]
    for changed, size, path in sorted(files, reverse=True):
        yield from reversed(_read(path, changed, size))


def _version(path: Path) -> tuple[int, int]:
    """Return what changes when a file does: its time in nanoseconds, and its size."""
    stat = path.stat()
    return stat.st_mtime_ns, stat.st_size


@lru_cache(maxsize=256)
def _read(path: Path, changed: int, size: int) -> list[Sent]:
    """Return the e-mails of a file as it was then, in the order they went out."""
    # What comes after the last separator is still being written.
    messages = path.read_bytes().split(_SEPARATOR)[:-1]
    at = datetime.fromtimestamp(changed / 1e9, UTC)
    return [_email(raw, path.stem, index, at) for index, raw in enumerate(messages)]


def _email(raw: bytes, file: str, index: int, at: datetime) -> Sent:
    message = message_from_bytes(raw, _class=EmailMessage, policy=policy.default)
    return Sent(
        id=f"{file}-{index}",
        channel="email",
        at=at,
        to=str(message["To"]),
        subject=str(message["Subject"]),
        text=_part(message, "plain"),
        html=_part(message, "html"),
        file=file,
        index=index,
    )


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    return str(part.get_content()).strip() if part is not None else ""


def _text_messages() -> Iterator[Sent]:
    path = Path(settings.NOTIFICATION_CHANNELS["sms"]["OPTIONS"].get("path") or settings.DEMO_DIR / "sms.jsonl")
    if not path.is_file():
        return
    with path.open("rb") as file:
        start = max(path.stat().st_size - _TAIL, 0)
        file.seek(start)
        lines = file.read().split(b"\n")
    # The first line may have begun before the tail; what follows the last line break is still being written.
    for line in reversed(lines[1 if start else 0 : -1]):
        try:
            data = json.loads(line)
        except json.JSONDecodeError:
            # The process was killed while it wrote this line.
            continue
        yield Sent(
            id=data["delivery_id"],
            channel="sms",
            at=datetime.fromisoformat(data["at"]),
            to=data["address"],
            subject="",
            text=data["rendered"]["body"],
        )
