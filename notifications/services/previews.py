"""What a reader would see of a wording that is being written: rendered as it is at send time, on samples. Writes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications import conf, ids
from notifications.channels import push_text, segments
from notifications.channels.sms import MAX_SEGMENTS
from notifications.exceptions import RenderError
from notifications.models import Event, TemplateContent
from notifications.pipeline import links, rendering, ways_out, wording
from notifications.pipeline.links import Link
from notifications.pipeline.rendering import RESERVED, Field, Problem
from notifications.services import samples, templates
from notifications.types import Channel, Priority
from notifications.values import Action, Content, Message, Reader, Rendered

if TYPE_CHECKING:
    from collections.abc import Iterable

    from notifications.models import Template

_IN_DARK = "@media (prefers-color-scheme: dark)"
_SCHEMES = "color-scheme: light dark"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextMessage:
    """How a text message is cut into parts, each of which is paid for."""

    parts: list[str]
    #: Of 7 bits, or of 16 if there are characters outside of the default alphabet, which `unusual` has.
    used: int
    room: int
    unusual: list[str]
    #: How many parts the channel takes.
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """What a device is told, cut to what push services take."""

    title: str
    body: str
    is_cut: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A wording as it would be read, with what is wrong with it. `rendered` is None if it cannot be rendered."""

    channel: str
    rendered: Rendered | None
    problems: list[Problem]
    #: Declared variables that it does not use.
    unused: list[str] = field(default_factory=list)
    action: Action = field(default_factory=Action)
    #: An e-mail as programs in a bright and in a dark look show it.
    light: str = ""
    dark: str = ""
    text_message: TextMessage | None = None
    push: Push | None = None


def preview(row: TemplateContent, template: Template, *, reader: Reader, sample: str = "") -> Preview:
    """Return what `reader` would see of a content, saved or not; `sample` is the id of an event, empty: the samples."""
    problems = templates.problems_of(row, template.variables)
    if any(problem.severity == "error" for problem in problems):
        return Preview(channel=row.channel, rendered=None, problems=problems)
    event = samples.event(template, sample)
    try:
        rendered = _rendered(row, event, reader)
    except RenderError as e:
        return Preview(channel=row.channel, rendered=None, problems=[*problems, _refused(e)])
    seen = _with_ways_out(rendered, row, template, reader)
    return Preview(
        channel=row.channel,
        rendered=seen,
        problems=[*problems, *_problems_seen(row, template, rendered)],
        unused=unused([row], template),
        action=_action_shown(event),
        light=_in_look(seen.html, is_dark=False),
        dark=_in_look(seen.html, is_dark=True),
        text_message=_text_message(seen.body) if row.channel == Channel.SMS else None,
        push=_push(seen, event) if row.channel == Channel.WEB_PUSH else None,
    )


def problems_of(row: TemplateContent, template: Template) -> list[Problem]:
    """Return what is wrong with a content: by itself, and filled in with the samples of its template."""
    found = templates.problems_of(row, template.variables)
    if any(problem.severity == "error" for problem in found):
        return found
    event = Event(template=template, variables=template.sample(), action_url="/")
    try:
        rendered = _rendered(row, event, Reader(name=_("Test"), locale=row.locale))
    except RenderError as e:
        return [*found, _refused(e)]
    return [*found, *_problems_seen(row, template, rendered)]


def unused(rows: Iterable[TemplateContent], template: Template) -> list[str]:
    """Return the declared variables that none of these contents uses; those that do not compile use none."""
    used: set[str] = set()
    for row in rows:
        try:
            used |= rendering.names_used(content_of(row))
        except RenderError:
            continue
    return [name for name in template.variables if name not in used and name not in RESERVED]


def _problems_seen(row: TemplateContent, template: Template, rendered: Rendered) -> list[Problem]:
    """Return what can only be seen of the finished words."""
    found = []
    if row.channel == Channel.SMS:
        told = _text_message(rendered.body)
        if len(told.parts) > told.most:
            said = {"number": len(told.parts), "most": told.most}
            text = _("With its samples it is %(number)s text messages long, at most %(most)s are sent: shorten it.")
            found.append(_problem("body", text % said, "error"))
        elif told.unusual and len(told.parts) > 1:
            about = {"characters": " ".join(told.unusual[:5]), "number": len(told.parts)}
            text = _("Because of %(characters)s it is %(number)s text messages long; without, it would be fewer.")
            found.append(_problem("body", text % about, "warning"))
    if row.channel == Channel.EMAIL and not template.category.required and not links.pages().unsubscribe:
        text = _(
            "Nobody could unsubscribe, and the category is not required: mount notifications.urls in this project."
        )
        found.append(_problem("body", text, "error"))
    return [*found, *_without_optional(row, template)]


def _without_optional(row: TemplateContent, template: Template) -> list[Problem]:
    """Return what happens where business code passes only what it must."""
    declared = template.variables.items()
    variables = {name: one["sample"] for name, one in declared if one.get("required", True)}
    if len(variables) == len(declared):
        return []
    event = Event(template=template, variables=variables, action_url="/")
    try:
        _rendered(row, event, Reader(locale=row.locale))
    except RenderError as e:
        said = {"error": str(e)}
        return [_problem(_field_of(e), _("Without the optional variables: %(error)s") % said, "error")]
    return []


def _rendered(row: TemplateContent, event: Event, reader: Reader) -> Rendered:
    return wording.render_event(content_of(row), event, reader=reader)


def content_of(row: TemplateContent) -> Content:
    """Return a content, saved or not, as the pipeline reads it."""
    # Without an id: what is remembered by it was published.
    return Content(id=0, channel=row.channel, locale=row.locale, title=row.title, body=row.body, html=row.html)


def _with_ways_out(rendered: Rendered, row: TemplateContent, template: Template, reader: Reader) -> Rendered:
    """Return an e-mail with its links to unsubscribe, which are those of nobody."""
    if row.channel != Channel.EMAIL or template.category.required:
        return rendered
    token = Link(recipient="", category=template.category_id, channel=row.channel).token
    language = reader.locale or settings.LANGUAGE_CODE
    with wording.manner(language, reader.time_zone or settings.TIME_ZONE):
        return ways_out.added(rendered, links.pages().ways_out(token), language=language)


def _action_shown(event: Event) -> Action:
    return Action(url=event.action_url, text=event.action_text or (_("View details") if event.action_url else ""))


def _in_look(html: str, *, is_dark: bool) -> str:
    """Return an e-mail as it is shown in a bright or dark look, whatever that of whoever looks at it is."""
    wanted = "dark" if is_dark else "light"
    shown = html.replace(_IN_DARK, "@media all" if is_dark else "@media not all")
    return shown.replace(_SCHEMES, f"color-scheme: {wanted}").replace('content="light dark"', f'content="{wanted}"')


def _text_message(text: str) -> TextMessage:
    used, room = segments.units(text)
    most = [backend.options.get("max_segments", MAX_SEGMENTS) for backend in conf.backends(Channel.SMS)]
    return TextMessage(
        parts=segments.split(text),
        used=used,
        room=room,
        unusual=segments.beyond_gsm(text),
        most=min(most, default=MAX_SEGMENTS),
    )


def _push(rendered: Rendered, event: Event) -> Push:
    pk = ids.uuid7()
    message = Message(
        delivery_id=pk,
        notification_id=pk,
        channel=Channel.WEB_PUSH,
        address="",
        priority=Priority.NORMAL,
        rendered=rendered,
        action=Action(url=event.action_url, text=event.action_text),
        category="",
    )
    told = push_text.fitted(message, push_text.MAX_PLAIN)
    is_cut = (told["title"], told["body"]) != (rendered.title, rendered.body)
    return Push(title=told["title"], body=told["body"], is_cut=is_cut)


def _refused(error: RenderError) -> Problem:
    return _problem(_field_of(error), str(error), "error")


def _field_of(error: RenderError) -> Field:
    """Return the field that an error is about: `render` begins its messages with it."""
    fields: tuple[Field, ...] = ("title", "body", "html")
    return next((name for name in fields if str(error).startswith(f"The {name} ")), "body")


def _problem(where: Field, message: str, severity: Any) -> Problem:
    return Problem(field=where, message=message, line=None, severity=severity)


def worded_unused(names: list[str]) -> str:
    """Return that no wording uses these declared variables."""
    listed = ", ".join(names)
    text = ngettext("No wording uses the variable %(names)s.", "No wording uses the variables %(names)s.", len(names))
    return text % {"names": listed}
