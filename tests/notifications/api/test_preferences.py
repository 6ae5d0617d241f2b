"""The matrix of wishes over HTTP: read with who decided, changed all at once or not at all."""

from __future__ import annotations

import pytest

from notifications.models import Category, ConsentChange, Preference
from notifications.types import ConsentSource
from tests.factories import make_template
from tests.notifications.api.asking import URL
from tests.threads import at_once

PREFERENCES = f"{URL}preferences/"


@pytest.fixture(autouse=True)
def orders(template):
    """Orders can be switched off, the account cannot."""
    Category.objects.create(code="account", name="Account", required=True)
    return template.category


def change(client, *changes):
    return client.patch(PREFERENCES, {"changes": list(changes)}, content_type="application/json")


def wish(cadence, **target):
    return {"channel": "email", "cadence": cadence, **(target or {"category": "orders"})}


def cells(answer):
    found = answer.json()["cells"]
    return {(cell["category"], cell["template"], cell["channel"]): cell for cell in found}


def test_the_matrix_says_what_holds_why_and_what_may_be_chosen(browser):
    change(browser, wish("daily"), wish("off", template="ORDER_CREATED"))

    shown = browser.get(PREFERENCES)

    body, found = shown.json(), cells(shown)
    assert body["categories"] == [
        {"code": "account", "name": "Account", "description": "", "required": True},
        {"code": "orders", "name": "orders", "description": "", "required": False},
    ]
    assert body["channels"][:2] == [{"name": "in_app", "label": "in-app"}, {"name": "email", "label": "e-mail"}]
    assert [cadence["name"] for cadence in body["cadences"]] == ["immediately", "hourly", "daily", "weekly", "off"]
    assert found["account", "", "email"] == {
        "category": "account", "template": "", "template_name": "", "channel": "email", "cadence": "immediately",
        "cadences": ["immediately"], "locked": True, "source": "required",
        "reason": "Always on: everybody is told this.",
    }  # fmt: skip
    mine = found["orders", "", "email"]
    assert (mine["cadence"], mine["source"], mine["locked"]) == ("daily", "category", False)
    assert mine["reason"] == "You chose this for the whole category."
    assert len(mine["cadences"]) == 5
    by_template = found["orders", "ORDER_CREATED", "email"]
    assert (by_template["cadence"], by_template["template_name"]) == ("off", "ORDER_CREATED")
    assert by_template["reason"] == "You chose this for this kind of message."
    in_app = found["orders", "", "in_app"]
    assert (in_app["cadences"], in_app["source"]) == (["immediately", "off"], "default")
    assert in_app["reason"] == "The default: you have not chosen."
    assert len(found) == 9


def test_the_matrix_is_in_the_readers_language(browser, orders):
    Category.objects.filter(code="orders").update(
        name="Orders", description="Confirmations, parcels on their way, deliveries."
    )

    shown = browser.get(PREFERENCES, headers={"accept-language": "de"})

    body = shown.json()
    assert body["categories"][1]["name"] == "Bestellungen"
    assert body["categories"][1]["description"].startswith("Bestätigungen")
    assert body["channels"][1]["label"] == "E-Mail"
    assert cells(shown)["account", "", "email"]["reason"] == "Immer an: Das erfahren alle."
    assert shown.json()["cadences"][4]["label"] == "nie"


def test_the_matrix_costs_the_same_however_much_there_is(browser, django_assert_num_queries):
    for number in range(10):
        make_template(f"T{number}", category=f"c{number}")
        change(browser, wish("off", template=f"T{number}"), wish("daily", category=f"c{number}"))

    # session, user; categories twice, templates; and the four of the planner
    with django_assert_num_queries(9):
        browser.get(PREFERENCES)


def test_many_changes_cost_the_same_as_one(browser, django_assert_max_num_queries):
    for number in range(50):
        Category.objects.create(code=f"c{number}", name="C")
    many = [wish("off", category=f"c{number}") for number in range(50)]

    with django_assert_max_num_queries(25):
        assert change(browser, *many).status_code == 200

    assert Preference.objects.count() == ConsentChange.objects.count() == 50


def test_an_unchanged_matrix_is_304(browser):
    etag = browser.get(PREFERENCES)["ETag"]

    assert browser.get(PREFERENCES, headers={"if-none-match": etag}).status_code == 304
    change(browser, wish("off"))
    assert browser.get(PREFERENCES, headers={"if-none-match": etag}).status_code == 200


def test_a_change_answers_what_holds_then_and_is_noted(browser, alice):
    answer = change(browser, wish("off"), wish("off", template="ORDER_CREATED"))

    assert cells(answer)["orders", "", "email"]["cadence"] == "off"
    lines = ConsentChange.objects.filter(recipient=alice).order_by("id")
    assert [(line.subject, line.before, line.after) for line in lines] == [
        ("category:orders", "", "off"),
        ("template:ORDER_CREATED", "", "off"),
    ]
    assert {(line.source, line.changed_by) for line in lines} == {(ConsentSource.API, alice)}


def test_null_takes_a_wish_back(browser):
    change(browser, wish("off"))

    answer = change(browser, wish(None))

    cell = cells(answer)["orders", "", "email"]
    assert (cell["cadence"], cell["source"]) == ("immediately", "default")
    assert not Preference.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "pointer", "word"),
    [
        (wish("off", category="account"), "#/changes/1/cadence", "required"),
        (wish("daily", category="account"), "#/changes/1/cadence", "required"),
        (wish("off", category="order"), "#/changes/1/category", "'orders'"),
        (wish("off", template="ORDER"), "#/changes/1/template", "No template"),
        (wish("never"), "#/changes/1/cadence", "No cadence"),
        ({**wish("off"), "channel": "emial"}, "#/changes/1/channel", "'email'"),
        ({**wish("daily"), "channel": "in_app"}, "#/changes/1/cadence", "on its own"),
        (wish("off", category="orders", template="ORDER_CREATED"), "#/changes/1", "one of them"),
        ({"channel": "email", "cadence": "off"}, "#/changes/1", "one of them"),
        (wish("daily", template="ORDER_CREATED"), "#/changes/1", "number 0"),
        ({"category": "orders", "channel": "email"}, "#/changes/1/cadence", "required"),
        ({**wish("off"), "recipient": 1}, "#/changes/1/recipient", "Unknown"),
        (wish(["off"]), "#/changes/1/cadence", "string"),
        ("off", "#/changes/1", "dictionary"),
    ],
)  # fmt: skip
def test_one_wrong_change_and_none_is_made(browser, alice, wrong, pointer, word):
    answer = change(browser, wish("off", template="ORDER_CREATED"), wrong)

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    (error,) = answer.json()["errors"]
    assert error["pointer"] == pointer
    assert word in error["detail"]
    assert not Preference.objects.exists()
    assert not ConsentChange.objects.exists()


def test_every_wrong_change_is_named_at_once(browser):
    answer = change(browser, wish("never"), wish("off"), wish("off", category="account"))

    assert [error["pointer"] for error in answer.json()["errors"]] == ["#/changes/0/cadence", "#/changes/2/cadence"]


@pytest.mark.parametrize(
    "body",
    [{}, {"changes": []}, {"changes": [wish("off")] * 201}, {"changes": None}, {"changes": wish("off")}, [wish("off")]],
    ids=["nothing", "none", "too many", "null", "no list", "bare"],
)
def test_a_body_of_another_shape_is_400(browser, body):
    answer = browser.patch(PREFERENCES, body, content_type="application/json")

    assert answer.status_code == 400
    assert not Preference.objects.exists()


def test_what_is_required_may_be_asked_for_as_it_is(browser):
    assert change(browser, wish("immediately", category="account")).status_code == 200


def test_my_wishes_are_mine(browser, client_of, charlie):
    change(browser, wish("off"))

    theirs = client_of(charlie).get(PREFERENCES)

    assert cells(theirs)["orders", "", "email"]["source"] == "default"
    change(client_of(charlie), wish("daily"))
    assert cells(browser.get(PREFERENCES))["orders", "", "email"]["cadence"] == "off"


@pytest.mark.parametrize("method", ["get", "patch"])
def test_nobody_has_no_preferences(client, method):
    assert getattr(client, method)(PREFERENCES).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_changes_that_meet_are_made_one_after_the_other(alice, client_of):
    """Without turns, two would say that there was nothing before."""
    cadences = ["off", "daily", "weekly", "hourly"]
    clients = [client_of(alice) for _ in cadences]
    answers: list[int] = []

    def ask(client, cadence):
        both = [wish(cadence), wish(cadence, template="ORDER_CREATED")]
        answers.append(change(client, *both).status_code)

    at_once(*[lambda a=a, b=b: ask(a, b) for a, b in zip(clients, cadences, strict=True)])

    assert answers == [200] * 4
    assert Preference.objects.count() == 2
    for subject in ("category:orders", "template:ORDER_CREATED"):
        lines = list(ConsentChange.objects.filter(subject=subject).order_by("id").values_list("before", "after"))
        assert sorted(after for _, after in lines) == sorted(cadences)
        assert [before for before, _ in lines] == ["", *[after for _, after in lines[:-1]]]
    assert len(set(Preference.objects.values_list("cadence", flat=True))) == 1
