"""Whom staff mean: a text of ids, user names or e-mail addresses → users, and what is wrong with the rest of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: Entries of a list: what one request reads, and one row keeps. More people than this are a named audience.
MAX_ENTRIES = 10_000
#: Entries that are looked up by one query.
AT_ONCE = 500
#: Problems that are told one by one.
SHOWN = 50
#: What stands between two entries of a line.
_BETWEEN = re.compile(r"[,;\t]")
#: As mail programs write somebody: `Alice <alice@example.com>`.
_NAMED = re.compile(r".*<([^<>]+)>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """The users of a list. `problems` are the first few sentences, each with its line; `problem_count` is of all."""

    #: Primary keys as text, each once, in the order of the lines.
    keys: list[str]
    duplicate_count: int
    problems: list[str]
    problem_count: int


def listed(text: str) -> Listed:
    """
    Return the users that a text names, one to a line or several with commas between them.

    A `#` and what is behind it say nothing. What is too long names nobody.
    """
    lines = [(number, term) for number, line in enumerate(text.splitlines(), 1) for term in _terms(line)]
    if len(lines) > MAX_ENTRIES:
        many = _("The list has %(number)s entries; at most %(most)s are taken. Use a named audience for more.")
        problem = many % {"number": len(lines), "most": MAX_ENTRIES}
        return Listed(keys=[], duplicate_count=0, problems=[problem], problem_count=1)
    keys: dict[str, None] = {}
    problems: list[str] = []
    duplicates = 0
    for start in range(0, len(lines), AT_ONCE):
        part = lines[start : start + AT_ONCE]
        known = _known([term for _, term in part])
        for number, term in part:
            found = known(term)
            if len(found) != 1:
                problems.append(_problem(number, term, len(found)))
            elif found[0] in keys:
                duplicates += 1
            else:
                keys[found[0]] = None
    return Listed(keys=list(keys), duplicate_count=duplicates, problems=problems[:SHOWN], problem_count=len(problems))


def _terms(line: str) -> list[str]:
    parts = _BETWEEN.split(line.partition("#")[0])
    return [term for part in parts if (term := _NAMED.sub(r"\1", part).strip().strip("\"'"))]


def _problem(number: int, term: str, found: int) -> str:
    said = {"number": number, "term": term[:80], "found": found}
    if found:
        return _("Line %(number)s: %(found)s users have “%(term)s”. Name the one you mean by id.") % said
    return _("Line %(number)s: there is no user “%(term)s”.") % said


def _known(terms: list[str]) -> Any:
    """Return a function from a term to the keys of those it names, after three queries for all terms together."""
    model = get_user_model()
    users, email = model._default_manager, model.get_email_field_name()
    clean = [term for term in terms if "\x00" not in term]
    ids = {key for term in clean if (key := _as_key(term)) is not None}
    by_id = {str(pk): [str(pk)] for pk in users.filter(pk__in=ids).values_list("pk", flat=True)}
    by_name = _grouped(users.filter(**{f"{model.USERNAME_FIELD}__in": clean}).values_list(model.USERNAME_FIELD, "pk"))
    lowered = users.annotate(lowered_email=Lower(email))
    addresses = [term.lower() for term in clean if "@" in term]
    by_email = _grouped(lowered.filter(lowered_email__in=addresses).values_list("lowered_email", "pk"))

    def found(term: str) -> list[str]:
        key = _as_key(term)
        return by_id.get(str(key)) or by_email.get(term.lower()) or by_name.get(term) or []

    return found


def _as_key(term: str) -> Any:
    """Return the primary key a term can be; None: it can be none of this project's, or none the database can hold."""
    try:
        key = get_user_model()._meta.pk.to_python(term)
    except (ValidationError, ValueError):
        return None
    return None if isinstance(key, int) and not 0 <= key < 2**63 else key


def _grouped(rows: Iterable[tuple[str, Any]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, pk in _each(rows):
        grouped.setdefault(name, []).append(pk)
    return grouped


def _each(rows: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, str]]:
    for name, pk in rows:
        yield name, str(pk)
