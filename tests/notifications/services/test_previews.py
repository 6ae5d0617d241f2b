"""Previews are what is sent, on samples or on masked events, with everything that is wrong with it."""

from __future__ import annotations

import pytest

from notifications.models import Event, Notification, TemplateContent
from notifications.publishing import publish_notification
from notifications.services import previews, samples
from notifications.types import Channel
from notifications.values import Reader
from tests.factories import make_template

pytestmark = pytest.mark.django_db

READER = Reader(name="Robin")


def row(channel, body="", **texts):
    return TemplateContent(channel=channel, body=body, **texts)


def seen(template, channel, body="Hello", **texts):
    return previews.preview(row(channel, body, **texts), template, reader=READER)


def errors(problems):
    return [(one.field, one.message) for one in problems if one.severity == "error"]


def test_an_e_mail_has_its_frame_and_its_links_to_unsubscribe(template):
    shown = seen(template, Channel.EMAIL, "Hello {{ recipient_name }}: {{ order_number }}", title="Hi")

    assert shown.rendered.body.startswith("Hello Robin: ORD-1")
    assert "Unsubscribe: http" in shown.rendered.body
    assert ">Unsubscribe</a>" in shown.light
    assert (Event.objects.count(), Notification.objects.count()) == (0, 0)


def test_an_e_mail_of_a_required_category_has_none():
    shown = seen(make_template("RESET", category="account", required=True), Channel.EMAIL, title="Hi")

    assert "Unsubscribe" not in shown.rendered.body


def test_the_dark_look_is_dark_whoever_looks(template):
    shown = seen(template, Channel.EMAIL, title="Hi")

    assert "@media all" in shown.dark
    assert "@media not all" in shown.light
    assert "prefers-color-scheme" not in shown.dark + shown.light


@pytest.mark.parametrize(
    ("text", "parts", "room", "unusual"),
    [
        pytest.param("x" * 160, 1, 160, [], id="one of 7 bits"),
        pytest.param("x" * 161, 2, 306, [], id="two of 7 bits"),
        pytest.param("✓" + "x" * 70, 2, 134, ["✓"], id="two of 16 bits"),
    ],
)
def test_a_text_message_is_counted_as_it_is_paid_for(template, text, parts, room, unusual):
    told = seen(template, Channel.SMS, text).text_message

    assert (len(told.parts), told.room, told.unusual) == (parts, room, unusual)


def test_a_text_message_that_no_provider_would_be_asked_for_is_an_error(template, settings):
    settings.NOTIFICATION_CHANNELS = {"sms": {"BACKEND": "x", "OPTIONS": {"max_segments": 1}}}

    found = errors(previews.problems_of(row(Channel.SMS, "x" * 161), template))

    assert found[0][0] == "body"
    assert "2 text messages long, at most 1" in found[0][1]


def test_a_push_is_cut_where_push_services_cut(template):
    assert seen(template, Channel.WEB_PUSH, "x" * 100, title="Hi").push.is_cut is False
    assert seen(template, Channel.WEB_PUSH, "x" * 5000, title="Hi").push.is_cut is True


def test_what_is_wrong_is_found_and_nothing_is_shown(template):
    shown = seen(template, Channel.SMS, "One\n{{ order_numbr }}")

    assert shown.rendered is None
    (problem,) = shown.problems
    assert (problem.field, problem.line) == ("body", 2)
    assert "did you mean 'order_number'?" in problem.message


def test_an_optional_variable_that_is_relied_on_is_an_error(template):
    template.variables["note"] = {"sample": "x", "required": False}

    assert "There is no 'note'" in errors(previews.problems_of(row(Channel.SMS, "{{ note }}"), template))[0][1]
    assert not errors(previews.problems_of(row(Channel.SMS, "{% if note %}{{ note }}{% endif %}"), template))


def test_without_a_page_to_unsubscribe_an_e_mail_is_refused_unless_it_is_required(template, settings):
    settings.ROOT_URLCONF = "tests.notifications.services.no_urls"
    required = make_template("RESET", category="account", required=True)
    email = row(Channel.EMAIL, "Hello", title="Hi")

    assert "Nobody could unsubscribe" in errors(previews.problems_of(email, template))[0][1]
    assert not errors(previews.problems_of(email, required))


def test_declared_variables_that_no_wording_uses_are_told(template):
    template.variables["total"] = {"sample": "1", "required": True}

    assert previews.unused([row(Channel.SMS, "{{ order_number }}")], template) == ["total"]
    assert previews.unused([row(Channel.SMS, "{{ order_number }}{{ total }}")], template) == []


def test_a_recent_event_is_masked(template, alice):
    template.variables["contact"] = {"sample": "x", "required": False}
    template.save()
    said = {"order_number": "ORD-7", "contact": "alice@example.com, +49 170 1234567"}
    published = publish_notification("ORDER_CREATED", recipient=alice, variables=said)

    (offered,) = samples.recent(template)
    shown = previews.preview(
        row(Channel.SMS, "{{ order_number }} {{ contact|default:'' }}"), template, reader=READER, sample=str(offered.id)
    )

    assert offered.id == published.id
    assert shown.rendered
    assert shown.rendered.body == "ORD-7 •••, •••"


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        pytest.param("first_name", "Alice", "A•••", id="name"),
        pytest.param("product_name", "Cup", "Cup", id="name of a thing"),
        pytest.param("url", "https://shop.example/reset?token=abc", "https://shop.example/reset", id="secret link"),
        pytest.param("lines", [{"name": "Cup", "email": "a@b.c"}], [{"name": "C•••", "email": "a•••"}], id="nested"),
        pytest.param("count", 3, 3, id="number"),
    ],
)
def test_masks(name, value, shown):
    assert samples.masked({name: value}) == {name: shown}


def test_an_event_of_another_template_is_not_shown(template, alice):
    other = make_template("OTHER")
    published = publish_notification("OTHER", recipient=alice, variables={"order_number": "SECRET"})

    assert samples.event(template, str(published.id)).variables == {"order_number": "ORD-1"}
    assert samples.event(template, "x").variables == {"order_number": "ORD-1"}
    assert samples.event(other, str(published.id)).variables == {"order_number": "SECRET"}
