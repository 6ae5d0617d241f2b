"""Somebody with a browser, for `manage.py demo --check`: cookies, pages, forms."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.client import HTTPConnection, HTTPException, HTTPResponse
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit

#: Seconds after which a quiet connection is not used again: the server closes its side after five.
KEPT_ALIVE = 3


class CheckFailed(Exception):
    """The demo did not do what it should."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form of a page, with what a person finds in it."""

    action: str
    fields: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMessage:
    """A message on the outbox page."""

    id: str
    channel: str
    to: str


@dataclass(slots=True, kw_only=True)
class Page:
    """What a person can act on."""

    path: str
    forms: list[Form] = field(default_factory=list)
    messages: list[SentMessage] = field(default_factory=list)

    def form(self, action: str, **chosen: str) -> Form:
        """Return the form with this action, filled in, or raise `CheckFailed`."""
        for form in self.forms:
            if form.action == action:
                return Form(action=action, fields=form.fields | chosen)
        raise CheckFailed(f"{self.path} has no form for {action}.")


class Visitor:
    """One person's browser: keeps cookies and the connection, follows no redirects."""

    def __init__(self, address: str, *, deadline: float) -> None:
        """`deadline`: of everything this person does, by time.monotonic."""
        parts = urlsplit(address)
        self._connection = HTTPConnection(parts.hostname or "", parts.port)
        self._deadline = deadline
        self._last_used = 0.0
        self._cookies: dict[str, str] = {}

    @property
    def is_logged_in(self) -> bool:
        return "sessionid" in self._cookies

    def page(self, path: str) -> Page:
        parser = _PageParser(path)
        parser.feed(self._ask("GET", path, expected=200)[1])
        return parser.page

    def submit(self, form: Form) -> str:
        """Send the form; return the path the answer leads to."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer, _ = self._ask("POST", form.action, expected=302, body=urlencode(form.fields), headers=headers)
        return urlsplit(answer.headers["Location"]).path

    def json(self, path: str) -> Any:
        text = self._ask("GET", path, expected=200)[1]
        try:
            return json.loads(text)
        except json.JSONDecodeError as e:
            raise CheckFailed(f"GET {path} was not answered with JSON.") from e

    def log_in(self, username: str) -> None:
        self.submit(self.page("/").form("/login/", username=username))

    def _ask(
        self, method: str, path: str, *, expected: int, body: str = "", headers: dict[str, str] | None = None
    ) -> tuple[HTTPResponse, str]:
        self._connect(f"{method} {path}")
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        try:
            self._connection.request(method, path, body=body or None, headers={"Cookie": cookies, **(headers or {})})
            answer = self._connection.getresponse()
            text = answer.read().decode()
        except (OSError, HTTPException) as e:
            raise CheckFailed(f"{method} {path}: {e}.") from e
        self._last_used = time.monotonic()
        for header in answer.headers.get_all("Set-Cookie", []):
            self._cookies |= {name: morsel.value for name, morsel in SimpleCookie(header).items()}
        if answer.status != expected:
            raise CheckFailed(f"{method} {path} was answered with {answer.status}, not {expected}.")
        return answer, text

    def _connect(self, purpose: str) -> None:
        now = time.monotonic()
        if now >= self._deadline:
            raise CheckFailed(f"No time left for {purpose}.")
        if now - self._last_used > KEPT_ALIVE:
            self._connection.close()
        if self._connection.sock is None:
            self._connection.timeout = self._deadline - now


class _PageParser(HTMLParser):
    """Finds forms with their values, and the messages of the outbox."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.page = Page(path=path)
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.page.forms.append(Form(action=given.get("action", ""), fields={}))
        elif tag == "input" and self.page.forms:
            self._fill(given.get("name", ""), given.get("value", ""))
        elif tag == "select":
            self._select = given.get("name", "")
        elif tag == "option" and self._select:
            # Untouched, a select has its first option.
            self._fill(self._select, given.get("value", ""))
            self._select = ""
        elif "data-channel" in given:
            message = SentMessage(id=given["id"], channel=given["data-channel"], to=given["data-to"])
            self.page.messages.append(message)

    def _fill(self, name: str, value: str) -> None:
        self.page.forms[-1].fields[name] = value
