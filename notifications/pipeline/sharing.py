"""Renderings made once for all readers whom the words do not name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from notifications.pipeline import wording
from notifications.pipeline.rendering import names_used

if TYPE_CHECKING:
    from collections.abc import Hashable

    from notifications.models import Event
    from notifications.values import Content, Reader, Rendered


class Wordings:
    """The renderings of one batch. Events of one broadcast say the same."""

    def __init__(self) -> None:
        #: (what was said, content, language, zone) → rendering: numbers and dates are written as the reader does.
        self._shared: dict[tuple[Hashable, int, str, str], Rendered] = {}
        #: Content → whether it names its reader.
        self._naming: dict[int, bool] = {}
        #: (the contents of a version, channel, locale) → the content that is nearest. The contents themselves are kept
        #: with it, so that no others can come to have their identity.
        self._picked: dict[tuple[int, str, str], tuple[tuple[Content, ...], Content]] = {}

    def pick(self, contents: tuple[Content, ...], channel: str, locale: str) -> Content:
        """Do as `wording.pick`: for readers of one locale, once."""
        key = (id(contents), channel, locale)
        if key not in self._picked:
            self._picked[key] = contents, wording.pick(contents, channel, locale)
        return self._picked[key][1]

    def render(self, event: Event, content: Content, reader: Reader, *, said: Hashable = None) -> Rendered:
        """Fill in a content for a reader; raise `RenderError`. `said` is the same for events that say the same."""
        if content.id not in self._naming:
            self._naming[content.id] = "recipient_name" in names_used(content)
        if self._naming[content.id]:
            return wording.render_event(content, event, reader=reader)
        of = event.broadcast_id or event.pk if said is None else said
        key = (of, content.id, wording.language(content, reader.locale), reader.time_zone)
        if key not in self._shared:
            self._shared[key] = wording.render_event(content, event, reader=reader)
        return self._shared[key]
