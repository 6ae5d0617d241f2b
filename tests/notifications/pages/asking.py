"""How the tests ask for pages."""

from __future__ import annotations

import re
from html import unescape

from django.contrib.messages import get_messages

NOBODY = "9e107d9d-372b-4b68-a5d1-0c2e8f3d7c11"
URL = "/notifications/"
PREFERENCES = "/notifications/preferences/"
SETTINGS = "/notifications/preferences/settings/"


def do(client, item, query="", **fields):
    """Send the form of an item."""
    return client.post(f"{URL}{item.pk}/{query}", fields)


def told(answer):
    """Return what the next page will say."""
    return [str(message) for message in get_messages(answer.wsgi_request)]


def text(answer):
    return unescape(answer.content.decode())


def ids(answer):
    """Return the ids of the items on a page, from the top."""
    return re.findall(r'id="item-([0-9a-f-]{36})"', answer.content.decode())
