"""Tokens of links: what is sent today must be read years later, by whatever signs then."""

from __future__ import annotations

import pytest
from django.core.signing import Signer

from notifications.pipeline import links
from notifications.pipeline.links import Link

LINKS = [
    Link(recipient="5", category="orders", channel="email"),
    Link(recipient="0198-ü", category="Bestellungen für später", channel="sms"),
]


@pytest.mark.parametrize("link", LINKS, ids=lambda link: link.channel)
def test_a_token_is_signed_as_django_signs_and_read_again(link):
    by_django = Signer(salt="notifications.links").sign_object([link.recipient, link.category, link.channel])

    assert link.token == by_django
    assert links.read(by_django) == link


def test_a_token_of_another_secret_is_none(settings):
    token = LINKS[0].token
    settings.SECRET_KEY = "another"

    assert links.read(token) is None
    assert links.read(LINKS[0].token) == LINKS[0]
