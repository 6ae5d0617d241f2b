"""The bell for any page: `{% load notification_center %}{% notification_center %}`."""

from __future__ import annotations

from typing import Any

from django import template
from django.middleware.csrf import get_token
from django.template import Context, TemplateSyntaxError
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from notifications.labels import LABELS, for_scripts

register = template.Library()

OPTIONS = {"mode": ("popover", "page"), "theme": ("", "light", "dark"), "tabs": ("on", "off")}
#: Noted on the request: the script is on the page already.
_DONE = "_notification_center_script"


@register.simple_tag(takes_context=True)
def notification_center(context: Context, mode: str = "popover", theme: str = "", tabs: str = "on") -> SafeString:
    """Return the notification center of the user who is logged in, which is a link until it is upgraded."""
    inbox = _inbox_url()
    link = format_html('<a href="{}">{}</a>', inbox, LABELS["title"]) if inbox else SafeString("")
    return _element(context, link, mode=mode, theme=theme, tabs=tabs)


@register.simple_block_tag(takes_context=True)
def notification_center_around(
    context: Context, content: SafeString, mode: str = "popover", theme: str = "", tabs: str = "on"
) -> SafeString:
    """Return the same around what is there until it is upgraded; for anonymous users, that alone."""
    return _element(context, content, mode=mode, theme=theme, tabs=tabs) or content


def _element(context: Context, content: SafeString, **options: str) -> SafeString:
    for name, value in options.items():
        if value not in OPTIONS[name]:
            known = ", ".join(filter(None, OPTIONS[name]))
            message = f"The notification center has no {name} {value!r}; there are: {known}."
            raise TemplateSyntaxError(message)
    request = context.get("request")
    user = getattr(request, "user", None)
    if request is None or user is None or not user.is_authenticated:
        return SafeString("")
    attributes = format_html_join("", ' {}="{}"', _attributes(request, user, options).items())
    element = format_html("<notification-center{}>{}</notification-center>", attributes, content)
    if getattr(request, _DONE, False):
        return element
    setattr(request, _DONE, True)
    script = static("notifications/notification-center.js")
    return format_html('{}<script type="module" src="{}"></script>', element, script)


def _attributes(request: Any, user: Any, options: dict[str, str]) -> dict[str, str]:
    given = {
        "api": f"{reverse('notification-list').rstrip('/')}/",
        "inbox-url": _inbox_url(),
        "csrf-token": get_token(request),
        "user": str(user.pk),
        "lang": get_language() or "en",
        "labels": for_scripts(),
        **options,
    }
    return {name: value for name, value in given.items() if value}


def _inbox_url() -> str:
    """Return where the pages are mounted; empty: nowhere."""
    try:
        return reverse("notifications:inbox")
    except NoReverseMatch:
        return ""
