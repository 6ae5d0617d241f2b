"""Buttons that business code answers, once."""

from __future__ import annotations

import pytest

from notifications import registry
from notifications.exceptions import ActionRefused
from notifications.models import Notification
from notifications.publishing import inbox_action, publish_notification
from notifications.testing.work import Work
from tests.factories import make_item
from tests.notifications.api.asking import URL
from tests.threads import at_once


@pytest.fixture
def pressed(monkeypatch):
    """Register the button `confirm` for the length of the test; return the list of what was pressed."""
    monkeypatch.setattr(registry, "_answers", {})
    found = []

    @inbox_action("confirm", text="It arrived")
    def confirm(pressed):
        found.append(pressed)
        return "Thank you!"

    return found


def with_buttons(*names):
    return [{"name": name, "run_at": None, "result": ""} for name in names]


@pytest.fixture
def item(alice, template):
    return make_item(alice, template, about="orders.order:1", actions=with_buttons("confirm"))


def press(browser, item, name="confirm"):
    return browser.post(f"{URL}{item.pk}/actions/{name}/")


def test_an_item_shows_the_buttons_its_template_names(browser, alice, template, pressed):
    template.actions = ["confirm"]
    template.save(update_fields=["actions"])
    publish_notification("ORDER_CREATED", recipient=alice, variables={"order_number": "ORD-1"})
    Work().run()

    (shown,) = browser.get(URL).json()["results"]

    assert shown["actions"] == [{"name": "confirm", "text": "It arrived", "run_at": None, "result": ""}]


def test_a_button_whose_code_is_gone_is_not_shown(browser, item):
    assert browser.get(f"{URL}{item.pk}/").json()["actions"] == []
    assert press(browser, item).status_code == 404


def test_pressing_runs_business_code_and_reads_the_item(browser, alice, item, pressed):
    answer = press(browser, item).json()

    assert answer["actions"][0]["result"] == "Thank you!"
    assert answer["actions"][0]["run_at"]
    assert answer["read_at"]
    (found,) = pressed
    assert (found.recipient, found.template, found.about, found.notification_id) == (
        alice,
        "ORDER_CREATED",
        "orders.order:1",
        item.pk,
    )


def test_pressed_again_nothing_more_happens(browser, item, pressed):
    first, second = press(browser, item), press(browser, item)

    assert first.json() == second.json()
    assert second.status_code == 200
    assert len(pressed) == 1


@pytest.mark.django_db(transaction=True)
def test_pressed_by_many_at_once_it_runs_once(alice, item, pressed, client_of):
    clients, answers = [client_of(alice) for _ in range(8)], []

    at_once(*[lambda client=client: answers.append(press(client, item).status_code) for client in clients])

    assert answers == [200] * 8
    assert len(pressed) == 1


def test_what_is_refused_is_said_and_may_be_tried_again(browser, item, monkeypatch):
    monkeypatch.setattr(registry, "_answers", {})
    refusing = [True]

    @inbox_action("confirm", text="It arrived")
    def confirm(pressed):
        Notification.objects.update(title="half done")
        if refusing:
            message = "It has not been sent yet."
            raise ActionRefused(message)

    refused = press(browser, item)
    item.refresh_from_db()

    assert refused.status_code == 409
    assert (refused.json()["code"], refused.json()["detail"]) == ("refused", "It has not been sent yet.")
    assert item.title == "Order ORD-1"
    assert item.read_at is None
    refusing.clear()
    assert press(browser, item).json()["actions"][0]["run_at"]


@pytest.mark.parametrize("name", ["other", "CONFIRM", "%00", "x" * 65])
def test_a_button_it_does_not_have_is_404(browser, item, pressed, name):
    assert press(browser, item, name).status_code == 404
    assert pressed == []


def test_a_stranger_cannot_press(client, charlie, item, pressed):
    client.force_login(charlie)

    assert press(client, item).status_code == 404
    assert pressed == []


def test_the_same_name_for_two_functions_is_refused_at_start(pressed):
    from django.core.exceptions import ImproperlyConfigured

    with pytest.raises(ImproperlyConfigured, match="action 'confirm'"):

        @inbox_action("confirm", text="Other")
        def other(pressed):
            """Never runs."""
