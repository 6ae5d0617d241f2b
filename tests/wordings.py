"""The wording the apps ship, read and filled with its sample."""

from __future__ import annotations

from django.utils import translation

from notifications.pipeline.rendering import render
from notifications.services.shipped import read_all
from notifications.services.template_files import TemplateFile
from notifications.values import Action, Content, Rendered

TEMPLATES = {shipped.code: shipped for shipped in read_all()}


def of_app(label: str) -> set[str]:
    """Return the codes an app ships."""
    return {code for code, shipped in TEMPLATES.items() if shipped.path.parent.parent.name == label}


def fill(shipped: TemplateFile, content: Content, **changes: object) -> Rendered:
    """Fill a content with the sample, as the pipeline does."""
    sample = {name: declared["sample"] for name, declared in shipped.variables.items()}
    with translation.override(content.locale or "en"):
        return render(
            content,
            variables=sample | changes,
            recipient_name="Alice",
            action=Action(url="/here/", text="Look"),
            base_url="https://shop.example",
            site_name="Corner Shop",
            language=content.locale or "en",
        )


def wording(code: str, channel: str, locale: str = "", **changes: object) -> Rendered:
    """Fill the content of a channel and language."""
    shipped = TEMPLATES[code]
    (content,) = (one for one in shipped.contents if (one.channel, one.locale) == (channel, locale))
    return fill(shipped, content, **changes)
