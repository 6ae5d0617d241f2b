"""Push in a real browser: turned on by a click, shown by the worker, turned off again. Only the vendor's service is ours."""

from __future__ import annotations

import json
import time
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from notifications.channels.web_push import WebPushChannel
from notifications.ids import uuid7
from notifications.models import Delivery, Endpoint
from notifications.publishing import publish_notification
from notifications.services import endpoints
from notifications.services.consent import Origin
from notifications.types import ConsentSource, DeliveryState, Priority
from notifications.values import Action, Message, Receipt, Rendered
from tests.browser.looking import PATIENCE, open_inbox
from tests.browser.test_access import violations
from tests.factories import make_template
from tests.providers.push_service import PushService
from tests.website.settings import NOTIFICATION_CHANNELS, NOTIFICATIONS

pytestmark = pytest.mark.browser

OPTIONS = NOTIFICATION_CHANNELS["web_push"]["OPTIONS"]
SCOPE = "/api/notifications/"
ON, OFF = "Turn on push on this device", "Turn off push on this device"
#: A headless browser reaches no push service: its subscription is one of ours. All else is the browser's own.
SUBSCRIBING = """(() => {
  const made = %s;
  let current = null;
  window.asked = [];
  PushManager.prototype.getSubscription = async () => current;
  PushManager.prototype.subscribe = async function (options) {
    if (!options.userVisibleOnly) throw new Error("unseen");
    const key = options.applicationServerKey;
    if (current) throw new DOMException("subscribed with another key", "InvalidStateError");
    asked.push(btoa(String.fromCharCode(...key)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", ""));
    current = { ...made, options: { applicationServerKey: key.buffer }, toJSON: () => made, unsubscribe: async () => ((current = null), true) };
    return current;
  };
})()"""


@pytest.fixture
def service():
    with PushService() as service:
        yield service


@pytest.fixture
def channel():
    channel = WebPushChannel(**OPTIONS)
    yield channel
    channel.close()


@pytest.fixture
def push_hosts(settings):
    """What the site's own process has, here as well."""
    settings.NOTIFICATIONS = NOTIFICATIONS
    settings.NOTIFICATION_CHANNELS = NOTIFICATION_CHANNELS


@pytest.fixture
def browse(visit, alice, kind, address, service, channel):
    """Return a function that opens a page of Alice's whose browser subscribes at our push service."""

    def browse(permission="granted", **options):
        context = visit(alice, **options)
        if permission == "granted":
            context.grant_permissions(["notifications"], origin=address)
        page = context.new_page()
        page.add_init_script(SUBSCRIBING % json.dumps(service.subscribe(channel.public_key)))
        return page

    return browse


@pytest.fixture
def page(browse):
    return browse()


def open_preferences(page):
    inbox = open_inbox(page)
    inbox.get_by_role("button", name="Preferences").click()
    return inbox


def turn_on(page):
    inbox = open_preferences(page)
    inbox.get_by_role("button", name=ON).click()
    expect(inbox.get_by_role("button", name=OFF)).to_be_visible()
    return inbox


def wait_for(page, expression, seconds=PATIENCE):
    """Return what a function of the page returns, once it is something."""
    until = time.monotonic() + seconds
    while not (value := page.evaluate(expression)):
        assert time.monotonic() < until, f"nothing from {expression}"
        page.wait_for_timeout(50)
    return value


def wait_until(condition, seconds=PATIENCE):
    """Wait for something that happens in the site's process."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.05)


def shown(page):
    """Return the notifications that the worker shows, once there are some."""
    return wait_for(page, f"""async () => {{
      const registration = await navigator.serviceWorker.getRegistration("{SCOPE}");
      const all = await registration.getNotifications();
      return all.length && all.map(({{ title, body, tag, data }}) => ({{ title, body, tag, data }}));
    }}""")  # fmt: skip


def message(**changes):
    parts = {
        "delivery_id": uuid7(), "channel": "web_push", "address": "x", "priority": Priority.NORMAL,
        "rendered": Rendered(title="Your <b>order</b>", body="It is on its way."),
        "action": Action(url="/host/?order"), "category": "orders", "notification_id": uuid7(),
    }  # fmt: skip
    return Message(**{**parts, **changes})


class Browsers:
    """What the vendor's service does with a browser: it hands over what came."""

    def __init__(self, page):
        self._session = page.context.new_cdp_session(page)
        self._origin = "{0.scheme}://{0.netloc}".format(urlsplit(page.url))
        self._registrations: dict = {}
        self._session.on("ServiceWorker.workerRegistrationUpdated", self._note)
        self._session.send("ServiceWorker.enable")
        until = time.monotonic() + PATIENCE
        while not self._registrations:
            assert time.monotonic() < until, "no worker"
            page.wait_for_timeout(50)

    def _note(self, event):
        for registration in event["registrations"]:
            if registration["scopeURL"] == f"{self._origin}{SCOPE}":
                self._registrations[registration["registrationId"]] = registration

    def deliver(self, data):
        (number,) = self._registrations
        self._session.send(
            "ServiceWorker.deliverPushMessage", {"origin": self._origin, "registrationId": number, "data": data}
        )


def test_a_click_subscribes_and_what_is_sent_is_shown(page, alice, service, channel, push_hosts):
    turn_on(page)

    endpoint = Endpoint.objects.get()
    assert (endpoint.recipient, endpoint.channel) == (alice, "web_push")
    assert endpoint.address["endpoint"] == f"{service.url}/push/browser"
    assert page.evaluate("asked") == [channel.public_key]

    sent = message(endpoint=endpoint.address)
    assert [type(result) for result in channel.send_batch([sent])] == [Receipt]
    Browsers(page).deliver(service.pushed[0].plain.decode())

    tag, number = sent.notification_id.hex, str(sent.notification_id)
    assert shown(page) == [
        {
            "title": "Your <b>order</b>",
            "body": "It is on its way.",
            "tag": tag,
            "data": {"url": "/host/?order", "id": number},
        }
    ]


SHIPPED = {
    ("in_app", ""): {"title": "Shipped", "body": ""},
    ("web_push", ""): {"title": "Shipped", "body": "Order {{ number }}"},
}


def test_what_business_code_publishes_reaches_the_device_until_the_browser_is_gone(page, alice, service, push_hosts):
    make_template("ORDER_SHIPPED", contents=SHIPPED, variables={"number": {"sample": "1"}})
    turn_on(page)

    publish_notification("ORDER_SHIPPED", recipient=alice, variables={"number": "42"}, action_url="/host/?order")
    wait_until(lambda: service.pushed)
    Browsers(page).deliver(service.pushed[0].plain.decode())

    assert [(one["title"], one["body"]) for one in shown(page)] == [("Shipped", "Order 42")]
    delivery = Delivery.objects.get(channel="web_push")
    wait_until(lambda: Delivery.objects.get(pk=delivery.pk).state == DeliveryState.SENT)
    assert Endpoint.objects.get().disabled_at is None

    # The browser throws the subscription away; the push service says so at the next message.
    service.browsers.clear()
    publish_notification("ORDER_SHIPPED", recipient=alice, variables={"number": "43"})
    wait_until(lambda: Endpoint.objects.get().disabled_at)
    failed = Delivery.objects.exclude(pk=delivery.pk).get(channel="web_push")
    assert (failed.state, failed.reason) == (DeliveryState.FAILED, "endpoint_gone")
    inbox = page.get_by_role("dialog")
    inbox.get_by_role("button", name="Back").click()
    inbox.get_by_role("button", name="Preferences").click()
    expect(inbox.get_by_role("button", name=ON)).to_be_visible()


def test_a_repetition_is_shown_once_and_what_cannot_be_read_is_shown_all_the_same(page, service):
    turn_on(page)
    browsers = Browsers(page)

    for data in ['{"title": "One", "tag": "a"}', '{"title": "One", "tag": "a"}', "no JSON", "null"]:
        browsers.deliver(data)

    host = urlsplit(page.url).netloc
    until = time.monotonic() + PATIENCE
    while (titles := sorted(one["title"] for one in shown(page))) != sorted(["One", host, host]):
        assert time.monotonic() < until, titles
        page.wait_for_timeout(50)


def test_nobody_is_asked_before_they_click(browse):
    page = browse(permission="default")
    page.add_init_script(
        "window.prompts = 0; Notification.requestPermission = async () => (prompts++, 'denied');"
        "Object.defineProperty(Notification, 'permission', { get: () => (window.prompts ? 'denied' : 'default') })"
    )
    inbox = open_preferences(page)
    button = inbox.get_by_role("button", name=ON)
    expect(button).to_be_visible()
    assert page.evaluate("prompts") == 0
    assert page.evaluate("async () => (await navigator.serviceWorker.getRegistrations()).length") == 0

    button.click()

    expect(inbox).to_contain_text("This browser blocks notifications of this site.")
    expect(button).to_be_hidden()
    assert page.evaluate("prompts") == 1
    assert page.evaluate("asked") == []
    assert not Endpoint.objects.exists()


def test_a_prompt_that_is_waved_away_can_come_again(browse):
    page = browse(permission="default")
    page.add_init_script(
        "Notification.requestPermission = async () => 'default';"
        "Object.defineProperty(Notification, 'permission', { get: () => 'default' })"
    )
    inbox = open_preferences(page)

    with page.expect_response("**/endpoints/"):
        inbox.get_by_role("button", name=ON).click()

    expect(inbox.get_by_role("button", name=ON)).to_be_visible()
    assert page.evaluate("asked") == []


def test_it_is_turned_off_again(page):
    inbox = turn_on(page)
    inbox.get_by_role("button", name=OFF).click()

    expect(inbox.get_by_role("button", name=ON)).to_be_visible()
    assert not Endpoint.objects.exists()
    assert page.evaluate(
        f"async () => (await (await navigator.serviceWorker.getRegistration('{SCOPE}')).pushManager.getSubscription())"
    ) is None  # fmt: skip


def test_a_device_of_somebody_else_is_off_until_one_turns_it_on(page, alice, bob, service, channel, push_hosts):
    turn_on(page)
    Endpoint.objects.update(recipient=bob)
    origin = Origin(source=ConsentSource.CODE)
    telephone = service.subscribe(channel.public_key, "telephone")
    endpoints.register(alice, channel="web_push", address=telephone, now=timezone.now(), origin=origin)

    inbox = page.get_by_role("dialog")
    inbox.get_by_role("button", name="Back").click()
    inbox.get_by_role("button", name="Preferences").click()

    expect(inbox.get_by_role("button", name=ON)).to_be_visible()
    assert {endpoint.recipient for endpoint in Endpoint.objects.all()} == {alice, bob}


def test_a_subscription_for_a_former_key_of_the_site_is_made_anew(page, channel):
    inbox = open_preferences(page)
    former = "Uint8Array.from({ length: 65 }, () => 4)"
    page.evaluate(
        f"PushManager.prototype.subscribe({{ userVisibleOnly: true, applicationServerKey: {former} }}).then(() => null)"
    )

    inbox.get_by_role("button", name=ON).click()

    expect(inbox.get_by_role("button", name=OFF)).to_be_visible()
    assert page.evaluate("asked.at(-1)") == channel.public_key


def test_what_is_refused_is_told(page, service):
    page.route("**/endpoints/", lambda route: route.continue_() if route.request.method == "GET" else route.abort())
    inbox = open_preferences(page)
    inbox.get_by_role("button", name=ON).click()

    expect(inbox).to_contain_text("That did not work.")
    expect(inbox.get_by_role("button", name=ON)).to_be_visible()


@pytest.mark.parametrize(
    ("url", "opened"),
    [
        ("/host/?order", "{site}/host/?order"),
        ("https://carrier.example/track", "https://carrier.example/track"),
        ("javascript:alert(1)", "{site}/"),
        ("data:text/html,x", "{site}/"),
        ("//evil.example/", "{site}/"),
        ("/\\evil.example/", "{site}/"),
        ("https://user@evil.example/", "{site}/"),
        ("", "{site}/"),
    ],
)
def test_a_click_on_it_opens_only_a_link_that_is_one(page, url, opened):
    turn_on(page)
    Browsers(page).deliver(json.dumps({"title": "One", "tag": "a", "url": url}))
    assert [one["data"]["url"] for one in shown(page)] == [url]
    worker = page.context.service_workers[0]

    found = worker.evaluate("""async () => {
      const opened = [];
      self.clients.openWindow = async (address) => opened.push(address);
      const [notification] = await self.registration.getNotifications();
      const event = new NotificationEvent("notificationclick", { notification });
      const done = [];
      event.waitUntil = (promise) => done.push(promise);
      self.dispatchEvent(event);
      await Promise.all(done);
      return [opened, (await self.registration.getNotifications()).length];
    }""")

    site = "{0.scheme}://{0.netloc}".format(urlsplit(page.url))
    assert found == [[opened.format(site=site)], 0]


def test_a_page_that_is_open_is_shown_rather_than_opened_again(page):
    turn_on(page)
    worker = page.context.service_workers[0]

    found = worker.evaluate("""async () => {
      const calls = [];
      self.clients.openWindow = async () => calls.push("opened");
      const { focus } = WindowClient.prototype;
      WindowClient.prototype.focus = async function () { calls.push(this.url); };
      await open("/host/");
      WindowClient.prototype.focus = focus;
      return calls;
    }""")

    assert found == [page.url]


def test_a_subscription_that_the_browser_gave_up_is_renewed(page, alice, service, channel):
    turn_on(page)
    old, new = Endpoint.objects.get(), service.subscribe(channel.public_key, "renewed")
    worker = page.context.service_workers[0]

    renew = """async ([endpoint, renewed]) => renew({
      oldSubscription: endpoint && { endpoint }, newSubscription: renewed }).then(() => null)"""
    worker.evaluate(renew, [old.address["endpoint"], new])

    row = Endpoint.objects.get()
    assert (row.recipient, row.address["endpoint"]) == (alice, new["endpoint"])


def test_a_subscription_of_somebody_else_is_not_renewed_for_whoever_is_here_now(page, bob, service, channel):
    turn_on(page)
    Endpoint.objects.update(recipient=bob)
    worker = page.context.service_workers[0]

    for old in (Endpoint.objects.get().address["endpoint"], None):
        worker.evaluate(
            "async ([endpoint, renewed]) => renew({ oldSubscription: endpoint && { endpoint }, newSubscription: renewed })"
            ".then(() => null)",
            [old, service.subscribe(channel.public_key, "renewed")],
        )

    assert Endpoint.objects.get().recipient == bob


def test_a_site_without_a_key_says_nothing_of_push(page):
    page.route("**/endpoints/", lambda route: route.fulfill(json={"results": [], "vapid_public_key": ""}))
    inbox = open_preferences(page)

    expect(inbox.get_by_label("From")).to_be_visible()
    expect(inbox.get_by_role("group", name="Push on this device")).to_have_count(0)


def test_a_browser_that_cannot_is_told_so(browse):
    page = browse()
    page.add_init_script("delete window.PushManager")
    inbox = open_preferences(page)

    expect(inbox).to_contain_text("This browser cannot show push messages.")
    expect(inbox.get_by_role("button", name=ON)).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_or_off(browse, scheme):
    page = browse(color_scheme=scheme)
    inbox = open_preferences(page)
    button = inbox.get_by_role("button", name=ON)
    button.scroll_into_view_if_needed()
    assert violations(page, "notification-center") == []

    button.click()
    expect(inbox.get_by_role("button", name=OFF)).to_be_visible()
    assert violations(page, "notification-center") == []


def test_the_page_of_preferences_turns_it_on_too_by_keyboard(page):
    page.goto("/notifications/preferences/")
    button = page.get_by_role("group", name="Push on this device").get_by_role("button")
    expect(button).to_have_text(ON)
    button.focus()
    page.keyboard.press("Enter")

    expect(button).to_have_text(OFF)
    assert Endpoint.objects.exists()
    assert page.evaluate("document.activeElement.textContent") == OFF
    assert violations(page) == []
    page.keyboard.press("Enter")
    expect(button).to_have_text(ON)
    assert not Endpoint.objects.exists()


def test_it_speaks_german(browse):
    page = browse(locale="de-DE")
    page.goto("/notifications/preferences/")

    group = page.get_by_role("group", name="Push auf diesem Gerät")
    expect(group.get_by_role("button", name="Push auf diesem Gerät einschalten")).to_be_visible()
