"""Which wording is read, and what a process remembers of it."""

from __future__ import annotations

import pytest

from notifications.exceptions import RenderError
from notifications.models import Template
from notifications.pipeline import wording
from notifications.values import Content
from tests.factories import make_template, publish_version


def content(locale, channel="email"):
    return Content(id=1, channel=channel, locale=locale, title=locale, body="")


@pytest.mark.parametrize(
    ("locales", "wanted", "picked"),
    [
        (["", "de", "de-AT"], "de-AT", "de-AT"),
        (["", "de", "de-at"], "de_AT", "de-at"),
        (["", "de"], "de-AT", "de"),
        (["", "de"], "de-Latn-AT-x-private", "de"),
        (["", "de"], "fr", ""),
        (["", "de"], "", ""),
        (["fr", "de"], "it", "de"),
        (["zh", "zh-Hant"], "zh-Hant-HK", "zh-Hant"),
    ],
)
def test_the_nearest_language_is_picked(locales, wanted, picked):
    assert wording.pick([content(locale) for locale in locales], "email", wanted).locale == picked


def test_without_wording_for_the_channel_there_is_nothing_to_render():
    with pytest.raises(RenderError, match="no wording for sms"):
        wording.pick([content("")], "sms", "")


def test_the_contents_of_a_version_are_read_once(template, django_assert_num_queries):
    versions = [template.live_version_id, publish_version(template, {("sms", ""): {"body": "x"}}).pk]

    with django_assert_num_queries(1):
        first = wording.contents_of(versions)
    with django_assert_num_queries(0):
        assert wording.contents_of(versions) == first

    assert [len(first[version]) for version in versions] == [4, 1]


def test_a_process_remembers_a_bounded_number_of_versions(template, monkeypatch):
    monkeypatch.setattr(wording, "MAX_VERSIONS", 2)
    versions = [publish_version(template, {("sms", ""): {"body": "x"}}).pk for _ in range(5)]
    for version in versions:
        assert len(wording.contents_of([version])[version]) == 1

    assert len(wording._contents) <= 3


def test_a_contract_is_read_once_and_anew_after_a_change(db, django_assert_num_queries):
    template = make_template("ORDER_CREATED")
    wording.contract("ORDER_CREATED")
    with django_assert_num_queries(0):
        assert wording.contract("ORDER_CREATED").required == {"order_number"}

    template.variables = {"other": {"sample": 1, "required": False}}
    template.save()

    assert wording.contract("ORDER_CREATED").names == {"other"}
    assert wording.contract("ORDER_CREATED").required == frozenset()


def test_what_another_process_changed_is_seen_after_a_few_seconds(db, monkeypatch):
    make_template("ORDER_CREATED")
    wording.contract("ORDER_CREATED")
    Template.objects.update(variables={})
    assert wording.contract("ORDER_CREATED").names == {"order_number"}

    monkeypatch.setattr(wording, "MAX_AGE", 0)

    assert wording.contract("ORDER_CREATED").names == frozenset()
