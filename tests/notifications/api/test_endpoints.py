"""Addresses that people register over HTTP: checked by shape, never shown again, one's own only."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest

from notifications.channels import webhook
from notifications.models import ConsentChange, Endpoint
from notifications.services import endpoints
from tests.notifications.api.asking import NOBODY, URL
from tests.threads import at_once

pytestmark = pytest.mark.django_db

ENDPOINTS = f"{URL}endpoints/"
HOOK = {"channel": "webhook", "address": {"url": "https://hooks.example.com/secret-path"}}


def key(length, first=4):
    return base64.urlsafe_b64encode(bytes([first]) + b"\xfb" * (length - 1)).decode().rstrip("=")


def push(**changes):
    """Return what a browser's `PushSubscription.toJSON()` says, posted."""
    address = {
        "endpoint": "https://updates.push.services.mozilla.com/wpush/v2/secret",
        "expirationTime": None,
        "keys": {"p256dh": key(65), "auth": key(16)},
    }
    return {"channel": "web_push", "address": {**address, **changes}, "label": "My laptop"}


@pytest.fixture(autouse=True)
def channels(settings):
    """All three are set up here."""
    fake = {"BACKEND": "notifications.channels.fake.FakeChannel"}
    settings.NOTIFICATION_CHANNELS = {
        **settings.NOTIFICATION_CHANNELS,
        **dict.fromkeys(("web_push", "chat", "webhook"), fake),
    }


def register(client, data, **headers):
    return client.post(ENDPOINTS, data, content_type="application/json", headers=headers)


def test_a_browser_is_registered_listed_and_forgotten(browser, alice):
    made = register(browser, push())

    assert made.status_code == 201
    row = Endpoint.objects.get()
    assert row.recipient == alice
    assert row.address == {"endpoint": push()["address"]["endpoint"], "keys": push()["address"]["keys"]}
    shown = made.json()
    assert shown.pop("signing_key") == ""
    assert shown == {
        "id": str(row.pk), "channel": "web_push", "label": "My laptop", "host": "updates.push.services.mozilla.com",
        "fingerprint": hashlib.sha256(push()["address"]["endpoint"].encode()).hexdigest(),
        "created_at": shown["created_at"], "last_used_at": None, "disabled_at": None,
    }  # fmt: skip
    assert browser.get(ENDPOINTS).json() == {"results": [shown], "vapid_public_key": ""}

    assert browser.delete(f"{ENDPOINTS}{row.pk}/").status_code == 204
    assert not Endpoint.objects.exists()
    host = "updates.push.services.mozilla.com"
    lines = (
        ConsentChange.objects.filter(recipient=alice)
        .order_by("id")
        .values_list("subject", "channel", "before", "after")
    )
    assert list(lines) == [
        (f"endpoint:{row.pk}", "web_push", "", host),
        (f"endpoint:{row.pk}", "web_push", host, ""),
    ]


@pytest.mark.parametrize("given", [push(), HOOK], ids=["push", "webhook"])
def test_neither_keys_nor_addresses_are_ever_shown(browser, given):
    answers = [register(browser, given), register(browser, given), browser.get(ENDPOINTS)]

    for answer in answers:
        assert answer.status_code < 300
        assert "secret" not in answer.content.decode()
        assert key(16) not in answer.content.decode()


def test_registered_again_it_is_the_same_with_new_keys_and_works_again(browser):
    first = register(browser, push())
    Endpoint.objects.update(disabled_at=first.json()["created_at"])

    again = register(browser, {**push(keys={"p256dh": key(65), "auth": key(16, 9)}), "label": "Work"})

    assert again.status_code == 200
    row = Endpoint.objects.get()
    assert again.json() == {**first.json(), "label": "Work"}
    assert (row.address["keys"]["auth"], row.disabled_at) == (key(16, 9), None)
    assert ConsentChange.objects.count() == 1


def test_a_browser_that_changes_users_is_the_new_ones(browser, client_of, alice, bob):
    register(browser, push())

    answer = register(client_of(bob), push(keys={"p256dh": key(65), "auth": key(16, 9)}))

    assert answer.status_code == 201
    assert Endpoint.objects.get().recipient == bob
    assert browser.get(ENDPOINTS).json() == {"results": [], "vapid_public_key": ""}
    assert browser.delete(f"{ENDPOINTS}{answer.json()['id']}/").status_code == 404
    assert Endpoint.objects.count() == 1
    last = ConsentChange.objects.filter(recipient=alice).latest("id")
    assert (last.before, last.after, last.changed_by) == (answer.json()["host"], "", bob)


def test_browsers_are_told_the_key_to_subscribe_with(browser, settings):
    options = {"private_key": "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94", "subject": "mailto:push@shop.example"}
    ours = {"web_push": {"BACKEND": "notifications.channels.web_push.WebPushChannel", "OPTIONS": options}}
    settings.NOTIFICATION_CHANNELS = ours

    answer = browser.get(ENDPOINTS)

    key = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
    assert answer.json()["vapid_public_key"] == key
    assert options["private_key"] not in answer.content.decode()

    settings.NOTIFICATION_CHANNELS = {}
    assert browser.get(ENDPOINTS).json()["vapid_public_key"] == ""


def test_the_owner_of_a_receiver_is_told_its_secret_when_it_is_registered_and_only_then(browser, settings):
    secrets = ["whsec_" + "a" * 32, "whsec_" + "b" * 32]
    webhooks = {"BACKEND": "notifications.channels.webhook.WebhookChannel", "OPTIONS": {"secrets": secrets}}
    settings.NOTIFICATION_CHANNELS = {**settings.NOTIFICATION_CHANNELS, "webhook": webhooks}

    first, again = register(browser, HOOK), register(browser, HOOK)
    other = register(browser, {**HOOK, "address": {"url": "https://hooks.example.com/other"}})

    row = Endpoint.objects.earliest("created_at")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["signing_key"] == again.json()["signing_key"] == webhook.secret_of(row.pk.hex, secrets[0])
    assert other.json()["signing_key"] not in {first.json()["signing_key"], *secrets}
    assert "whsec_" not in browser.get(ENDPOINTS).content.decode()
    assert register(browser, push()).json()["signing_key"] == ""


APP = {"channel": "web_push", "address": {"token": "dQw4w9WgXcQ:APA91bHun4MxP5egoKMwt2KZFBaFUH-1RYqx"}}


def test_an_app_is_registered_by_its_token_which_is_not_shown(browser):
    made = register(browser, APP)

    assert (made.status_code, made.json()["host"]) == (201, "fcm.googleapis.com")
    assert Endpoint.objects.get().address == APP["address"]
    assert "APA91b" not in made.content.decode() + browser.get(ENDPOINTS).content.decode()


def test_an_app_is_whose_it_was_last(browser, client_of, bob):
    register(browser, APP)
    register(client_of(bob), APP)

    assert Endpoint.objects.get().recipient == bob


@pytest.mark.parametrize(
    ("address", "pointer"),
    [
        ({"token": ""}, "#/address/token"),
        ({"token": "short"}, "#/address/token"),
        ({"token": "with spaces in it, and long enough"}, "#/address/token"),
        ({"token": "x" * 1025}, "#/address/token"),
        ({"token": ["x" * 30]}, "#/address/token"),
        ({"token": "x" * 30, "endpoint": "https://fcm.googleapis.com/x"}, "#/address/endpoint"),
    ],
    ids=["empty", "short", "spaces", "long", "a list", "both"],
)
def test_what_is_no_token_is_refused(browser, address, pointer):
    answer = register(browser, {**APP, "address": address})

    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert not Endpoint.objects.exists()


@pytest.mark.parametrize("channel", ["chat", "webhook"])
def test_a_room_may_be_several_peoples_and_nobody_can_take_it(browser, client_of, alice, bob, channel):
    for client in (browser, client_of(bob)):
        assert register(client, {**HOOK, "channel": channel}).status_code == 201

    assert set(Endpoint.objects.values_list("recipient", flat=True)) == {alice.pk, bob.pk}


def test_there_are_at_most_twenty(browser):
    assert endpoints.MAX_ENDPOINTS == 20
    urls = [f"https://hooks.example.com/{number}" for number in range(21)]
    answers = [register(browser, {**HOOK, "address": {"url": url}}) for url in urls]

    assert [answer.status_code for answer in answers] == [201] * 20 + [400]
    assert "You have 20 addresses already" in answers[-1].json()["detail"]
    assert register(browser, {**HOOK, "address": {"url": urls[0]}}).status_code == 200


def test_a_channel_that_is_not_set_up_here_is_refused(browser, settings):
    settings.NOTIFICATION_CHANNELS = {}

    answer = register(browser, push())
    in_german = register(browser, push(), **{"accept-language": "de"})

    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["detail"]) == ("#/channel", "The channel push is not set up here.")
    assert in_german.json()["detail"] == "Der Kanal Push ist hier nicht eingerichtet."
    assert not Endpoint.objects.exists()


@pytest.mark.parametrize("host", ["fcm.googleapis.com", "web.push.apple.com", "db5p.notify.windows.com"])
def test_the_push_services_of_browsers_are_known(browser, host):
    assert register(browser, push(endpoint=f"https://{host}/x")).status_code == 201


def test_others_can_be_allowed(browser, settings):
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "PUSH_HOSTS": ["ntfy.example.org"]}

    assert register(browser, push(endpoint="https://ntfy.example.org/x")).status_code == 201
    assert register(browser, push()).status_code == 400


WRONG_URLS = [
    "", "x", "/path", "http://hooks.example.com/", "https://", "https://localhost/", "https://127.0.0.1/",
    "https://2130706433/", "https://0x7f.0x1/", "https://0177.0.0.1/", "https://127.1/", "https://[::1]/",
    "https://[::ffff:7f00:1]/", "https://169.254.169.254/latest/", "https://a@hooks.example.com/",
    "https://hooks.example.com:8443/", "https://hooks.example.com:x/", "https://hooks.example.com:99999/",
    "https://hooks.example.com/#x", "https://hooks.example.com\\@evil.example/", "https://hooks.example.com./",
    "https://hooks..example.com/", "https://-a.example.com/", "https://höoks.example.com/", "https://a_b.example.com/",
    "https://hooks.example.com/a b", "javascript:alert(1)", "https://hooks.example.com/" + "x" * 2048,
    "https://" + "a." * 200 + "com/", "https://hooks.example.com%00.evil.example/", "https://①②⑦.⓪.⓪.①/",
]  # fmt: skip


@pytest.mark.parametrize("url", WRONG_URLS)
def test_an_address_inside_or_nowhere_is_refused(browser, url):
    answer = register(browser, {**HOOK, "address": {"url": url}})

    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == ["#/address/url"]
    assert not Endpoint.objects.exists()


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://evil.example/", "https://push.apple.com.evil.example/", "https://evilpush.apple.com/",
        "https://push.apple.com/", "https://fcm.googleapis.com.evil.example/", "https://x.fcm.googleapis.com/",
        "http://fcm.googleapis.com/x", "https://fcm.googleapis.com:444/x", "https://169.254.169.254/",
    ],
)  # fmt: skip
def test_a_push_service_that_nobody_knows_is_refused(browser, endpoint):
    answer = register(browser, push(endpoint=endpoint))

    assert [error["pointer"] for error in answer.json()["errors"]] == ["#/address/endpoint"]


@pytest.mark.parametrize(
    ("keys", "pointer"),
    [
        ({"p256dh": key(64), "auth": key(16)}, "#/address/keys/p256dh"),
        ({"p256dh": key(66), "auth": key(16)}, "#/address/keys/p256dh"),
        ({"p256dh": key(65, 3), "auth": key(16)}, "#/address/keys/p256dh"),
        ({"p256dh": key(65).replace("-", "+"), "auth": key(16)}, "#/address/keys/p256dh"),
        ({"p256dh": "ä" * 87, "auth": key(16)}, "#/address/keys/p256dh"),
        ({"p256dh": key(65), "auth": key(15)}, "#/address/keys/auth"),
        ({"p256dh": key(65), "auth": "="}, "#/address/keys/auth"),
        ({"p256dh": key(65), "auth": "a"}, "#/address/keys/auth"),
        ({"p256dh": key(65), "auth": 16}, "#/address/keys/auth"),
        ({"p256dh": key(65)}, "#/address/keys/auth"),
        ({"p256dh": key(65), "auth": key(16), "x": "y"}, "#/address/keys/x"),
        (None, "#/address/keys"),
        ([], "#/address/keys"),
    ],
)
def test_keys_that_are_none_are_refused(browser, keys, pointer):
    answer = register(browser, push(keys=keys))

    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert not Endpoint.objects.exists()


def test_keys_with_padding_are_keys(browser):
    assert register(browser, push(keys={"p256dh": key(65) + "=", "auth": key(16) + "=="})).status_code == 201


@pytest.mark.parametrize(
    ("data", "pointer"),
    [
        ({**HOOK, "channel": "email"}, "#/channel"),
        ({**HOOK, "channel": "in_app"}, "#/channel"),
        ({**HOOK, "channel": "pigeon"}, "#/channel"),
        ({**HOOK, "channel": "web_push"}, "#/address/endpoint"),
        ({**push(), "channel": "webhook"}, "#/address/url"),
        ({**HOOK, "address": "https://hooks.example.com/"}, "#/address"),
        ({**HOOK, "address": None}, "#/address"),
        ({**HOOK, "label": "x" * 101}, "#/label"),
        ({**HOOK, "recipient": 1}, "#/recipient"),
        ({**HOOK, "disabled_at": None}, "#/disabled_at"),
        ({}, "#/channel"),
    ],
)
def test_a_body_of_another_shape_is_refused(browser, data, pointer):
    answer = register(browser, data)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert not Endpoint.objects.exists()


def test_an_endpoint_of_somebody_else_is_neither_listed_nor_forgotten(browser, client_of, charlie):
    pk = register(browser, HOOK).json()["id"]
    stranger = client_of(charlie)

    assert stranger.get(ENDPOINTS).json() == {"results": [], "vapid_public_key": ""}
    assert stranger.delete(f"{ENDPOINTS}{pk}/").status_code == 404
    assert stranger.delete(f"{ENDPOINTS}{NOBODY}/").status_code == 404
    assert Endpoint.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_browser_that_two_people_register_at_once_is_one_persons(alice, bob, client_of):
    clients = [client_of(person) for person in (alice, bob) * 2]
    answers: list[int] = []

    at_once(*[lambda client=client: answers.append(register(client, push()).status_code) for client in clients])

    assert set(answers) <= {200, 201}
    assert Endpoint.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_no_more_than_twenty_come_in_at_once(alice, client_of, monkeypatch):
    monkeypatch.setattr(endpoints, "MAX_ENDPOINTS", 2)
    clients = [client_of(alice) for _ in range(4)]
    answers: list[int] = []

    def ask(client, number):
        answers.append(register(client, json.loads(json.dumps(HOOK).replace("secret", str(number)))).status_code)

    at_once(*[lambda a=a, n=n: ask(a, n) for n, a in enumerate(clients)])

    assert sorted(answers) == [201, 201, 400, 400]
    assert Endpoint.objects.count() == 2
