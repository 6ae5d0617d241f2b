"""Templates as the pipeline reads them: the contract with business code, and the contents of a version. Cached."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models.signals import post_delete, post_save
from django.utils import timezone, translation

from notifications import conf
from notifications.exceptions import RenderError, UnknownTemplate
from notifications.models import Category, Template, TemplateContent
from notifications.pipeline.rendering import render
from notifications.registry import did_you_mean
from notifications.types import Priority
from notifications.values import Action, Content, Reader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import AbstractContextManager

    from notifications.models import Event
    from notifications.values import Rendered

#: Another process may have changed the template; what this one remembers is at most this old, in seconds.
MAX_AGE = 5.0
MAX_VERSIONS = 500
#: A legacy address, or an account that is gone.
NOBODY = Reader()


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What business code must pass with a template's code."""

    code: str
    priority: Priority
    names: frozenset[str]
    required: frozenset[str]


_contracts: dict[str, tuple[float, Contract]] = {}


def contract(code: str) -> Contract:
    """Return the contract of a template; raise `UnknownTemplate` naming the one probably meant."""
    found = _contracts.get(code)
    if found is not None and time.monotonic() - found[0] < MAX_AGE:
        return found[1]
    template = Template.objects.filter(code=code).only("code", "priority", "variables").first()
    if template is None:
        codes = list(Template.objects.values_list("code", flat=True))
        hint = did_you_mean(code, codes) or (
            "" if codes else "; none is seeded yet: run manage.py seed_notification_templates"
        )
        raise UnknownTemplate(f"No template {code!r}{hint}.")
    loaded = Contract(
        code=template.code,
        priority=Priority(template.priority),
        names=frozenset(template.variables),
        required=frozenset(name for name, declared in template.variables.items() if declared.get("required", True)),
    )
    _contracts[code] = (time.monotonic(), loaded)
    return loaded


#: version id → its contents. Published contents never change, so these never age.
_contents: dict[int, tuple[Content, ...]] = {}


def contents_of(version_ids: Iterable[int]) -> dict[int, tuple[Content, ...]]:
    """Return the contents of published versions, in at most one query."""
    wanted = set(version_ids)
    known = {version: held for version in wanted if (held := _contents.get(version)) is not None}
    missing = wanted - known.keys()
    if missing:
        if len(_contents) > MAX_VERSIONS:
            _contents.clear()
        loaded: dict[int, list[Content]] = {version: [] for version in missing}
        for row in TemplateContent.objects.filter(version__in=missing, variant=""):
            loaded[row.version_id].append(
                Content(
                    id=row.pk, channel=row.channel, locale=row.locale, title=row.title, body=row.body, html=row.html
                )
            )
        found = {version: tuple(rows) for version, rows in loaded.items()}
        _contents.update(found)
        known |= found
    return known


@lru_cache(maxsize=1000)
def _fallbacks(locale: str) -> tuple[str, ...]:
    """`de-AT` → (de-at, de, "")  (RFC 4647 §3.4 lookup)."""
    parts = locale.lower().replace("_", "-").split("-") if locale else []
    return (*("-".join(parts[:length]) for length in range(len(parts), 0, -1)), "")


def pick(contents: Iterable[Content], channel: str, locale: str) -> Content:
    """Return the content for a channel in the nearest language there is; raise `RenderError` if there is none."""
    by_locale = {content.locale.lower(): content for content in contents if content.channel == channel}
    if not by_locale:
        raise RenderError(f"The template has no wording for {channel}.")
    nearest = next((tag for tag in _fallbacks(locale) if tag in by_locale), min(by_locale))
    return by_locale[nearest]


def language(content: Content, locale: str) -> str:
    """
    Return the language a content is filled in with: the reader's own, as long as the content is written in it.

    A text in German for a reader of de-AT has Austrian numbers; the English one they get for want of a German, English.
    """
    if not content.locale:
        return locale or settings.LANGUAGE_CODE
    return locale if content.locale.lower() in _fallbacks(locale) else content.locale


#: By thread: the manner that is written in. Asking Django for it takes several times as long.
_written = threading.local()
_AS_BEFORE = nullcontext()


def house_style() -> AbstractContextManager[None]:
    """Write as the site does for a whole batch: only readers with a manner of their own cost a change then."""
    return manner(settings.LANGUAGE_CODE, settings.TIME_ZONE)


def manner(language: str, zone: str) -> AbstractContextManager[None]:
    """Write in a language, with the dates of a zone; within the same manner, that changes nothing."""
    wanted = (language, zone)
    return _AS_BEFORE if getattr(_written, "manner", None) == wanted else _changed(wanted)


@contextmanager
def _changed(wanted: tuple[str, str]) -> Iterator[None]:
    before, (language, zone) = getattr(_written, "manner", None), wanted
    with translation.override(language), timezone.override(ZoneInfo(zone)):
        _written.manner = wanted
        try:
            yield
        finally:
            _written.manner = before


def render_event(content: Content, event: Event, *, reader: Reader) -> Rendered:
    """Return a content with the event's variables filled in, in the reader's zone and manner; raise `RenderError`."""
    config, active = conf.current(), language(content, reader.locale)
    with manner(active, reader.time_zone or settings.TIME_ZONE):
        return render(
            content,
            language=active,
            variables=event.variables,
            recipient_name=reader.name,
            action=Action(url=event.action_url, text=event.action_text),
            base_url=config.base_url,
            site_name=config.site_name,
            look=config.look,
        )


def forget(**_: Any) -> None:
    """Drop what this process remembers of templates."""
    _contracts.clear()
    _contents.clear()


for _model in (Category, Template, TemplateContent):
    post_save.connect(forget, sender=_model, dispatch_uid=f"wording-{_model.__name__}-saved")
    post_delete.connect(forget, sender=_model, dispatch_uid=f"wording-{_model.__name__}-deleted")
