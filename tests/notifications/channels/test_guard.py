"""Which addresses of others are sent to: nothing reaches what listens on our own network."""

from __future__ import annotations

import ipaddress
from contextlib import ExitStack, closing
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from notifications.channels import guard
from notifications.channels.http import Http
from notifications.exceptions import PermanentError, TransientError
from tests.providers.server import Server, said

PUBLIC = "93.184.216.34"


@pytest.fixture
def http():
    """Make guarded clients whose names stand for these addresses: one list for each look-up, the last for ever."""
    with ExitStack() as stack:

        def client(*answers):
            left = list(answers)

            def resolve(host, port, seconds):
                return left.pop(0) if len(left) > 1 else left[0]

            return stack.enter_context(closing(Http(timeout=timedelta(seconds=2), guarded=True, resolve=resolve)))

        yield client


@pytest.fixture
def canary():
    """A service of ours on loopback, which nobody from outside may reach."""
    with Server() as server:
        yield server


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104
        "0.1.2.3",
        "10.1.2.3",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.8.9.10",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b::127.0.0.1",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::1",
        "64:ff9b:1::8.8.8.8",
        "100::1",
        "2001::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:808:808::",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "no address",
        "",
    ],
)
def test_what_is_not_of_the_open_internet_is_not_public(address):
    assert not guard.is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        PUBLIC,
        "8.8.8.8",
        "1.1.1.1",
        "2606:4700:4700::1111",
        "2001:4860:4860::8888",
        "64:ff9b::8.8.8.8",
        "::ffff:8.8.8.8",
    ],
)
def test_the_open_internet_is_public(address):
    assert guard.is_public(address)


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str))
@example("192.0.0.9")
def test_nothing_is_public_that_the_registry_does_not_call_global(address):
    if guard.is_public(address) and not address.startswith("64:ff9b:"):
        assert ipaddress.ip_address(address).is_global


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/",
        "ftp://hooks.example.com/",
        "file:///etc/passwd",
        "gopher://hooks.example.com/",
        "//hooks.example.com/",
        "hooks.example.com/",
        "",
        "https://",
        "https://:443/",
        "https://hooks.example.com:8443/",
        "https://hooks.example.com:0/",
        "https://hooks.example.com:99999/",
        "https://hooks.example.com:22/",
        "https://user@hooks.example.com/",
        "https://user:secret@hooks.example.com/",
        "https://hooks.example.com@127.0.0.1/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://017700000001/",
        "https://127.0.0.1./",
        "https://[::1]/",
        "https://[::ffff:7f00:1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[fe80::1%25eth0]/",
        "https://bücher.example/",
        "https://８.８.８.８/",
        "https://127。0。0。1/",
        "https://①②⑦.0.0.1/",
        "https://localhost/",
        "https://localhost./",
        "https://intranet/",
        "https://hooks.example.com./",
        "https://hooks..example.com/",
        "https://.example.com/",
        "https://-hooks.example.com/",
        "https://hooks_of_ours.example.com/",
        "https://hooks.example.com\\@127.0.0.1/",
        "https://hooks.example.com\n/",
        "https://hooks.example.com\x00/",
        "https://a b.example.com/",
        "https://\ud800.example.com/",
        f"https://{'a' * 64}.example.com/",
        f"https://{'a.' * 130}com/",
    ],
    ids=ascii,
)
def test_a_url_that_leads_elsewhere_is_refused_and_no_name_is_looked_up(url):
    def resolve(host, port, seconds):
        raise AssertionError(host)

    with pytest.raises(PermanentError) as refused:
        Http(timeout=timedelta(seconds=2), guarded=True, resolve=resolve).request("POST", url)

    assert refused.value.code == "bad_url"
    assert str(refused.value) == "We do not send to this address."


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://hooks.example.com/a", "hooks.example.com"),
        ("https://HOOKS.Example.COM:443/a", "hooks.example.com"),
        ("https://xn--bcher-kva.example/a", "xn--bcher-kva.example"),
        ("https://3com.example.com/", "3com.example.com"),
    ],
)
def test_a_url_of_the_open_internet_is_taken_as_it_will_be_asked(url, host):
    assert guard.host_of(guard.checked_url(url)) == host


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["::ffff:7f00:1"],
        ["64:ff9b::7f00:1"],
        ["64:ff9b:1::7f00:1"],
        ["2002:7f00:1::"],
        ["::127.0.0.1"],
        ["0.0.0.0"],  # noqa: S104
        ["127.0.0.1", PUBLIC],
        [PUBLIC, "127.0.0.1"],
        [PUBLIC, "::1"],
        ["2606:4700:4700::1111", "127.0.0.1"],
    ],
)
def test_a_name_that_stands_for_an_inner_address_also_is_refused(http, canary, addresses):
    with pytest.raises(PermanentError) as refused:
        http(addresses).request("POST", "https://hooks.example.com/a")

    assert refused.value.code == "private_address"
    assert (canary.connections, canary.heard) == (0, b"")


def test_a_name_is_looked_up_once_and_what_was_checked_is_connected_to(canary, monkeypatch):
    """Rebinding: the second answer would be loopback, and nobody asks a second time."""
    asked, connected = [], []

    def resolve(host, port, seconds):
        asked.append(host)
        return [PUBLIC] if len(asked) == 1 else ["127.0.0.1"]

    def connect(address, *_, **__):
        connected.append(address)
        raise OSError

    monkeypatch.setattr("socket.create_connection", connect)
    with pytest.raises(TransientError):
        Http(timeout=timedelta(seconds=2), guarded=True, resolve=resolve).request("POST", "https://hooks.example.com/a")

    assert asked == ["hooks.example.com"]
    assert connected == [(PUBLIC, 443)]
    assert (canary.connections, canary.heard) == (0, b"")


def test_a_name_that_changes_its_mind_between_two_messages_is_refused(http, canary):
    client = http(["192.0.0.1"], ["127.0.0.1"])

    for _ in range(3):
        with pytest.raises(PermanentError):
            client.request("POST", "https://hooks.example.com/a")

    assert (canary.connections, canary.heard) == (0, b"")


def test_a_redirect_is_an_answer_and_nothing_is_asked_there(http, canary, settings):
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "PRIVATE_HOSTS": ("hooks.example.com",)}
    for status in (301, 302, 303, 307, 308):
        with Server(said(status, Location=f"{canary.url}/latest/meta-data/")) as receiver:
            answer = http(["127.0.0.1"]).request("POST", f"http://hooks.example.com:{receiver.port}/a")

        assert (answer.status, answer.is_success) == (status, False)
    assert (canary.connections, canary.heard) == (0, b"")


def test_a_proxy_in_the_environment_is_not_asked(http, canary, monkeypatch, settings):
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "PRIVATE_HOSTS": ("hooks.example.com",)}
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, canary.url)

    with Server() as receiver:
        answer = http(["127.0.0.1"]).request("POST", f"http://hooks.example.com:{receiver.port}/a")

    assert answer.status == 200
    assert (canary.connections, canary.heard) == (0, b"")


@pytest.mark.parametrize("url", ["http://{host}:{port}/a", "http://127.0.0.1:{port}/a"])
def test_a_host_of_ours_may_be_anywhere(http, settings, url):
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "PRIVATE_HOSTS": ("mattermost.intern", "127.0.0.1")}
    with Server() as receiver:
        asked = url.format(host="mattermost.intern", port=receiver.port)
        answer = http(["127.0.0.1"]).request("POST", asked)

    assert answer.status == 200
    assert receiver.requests[0].headers["host"] == asked.split("/")[2]


def test_a_host_of_ours_opens_no_door_to_others(http, settings, canary):
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "PRIVATE_HOSTS": ("mattermost.intern",)}

    for url in (
        f"http://sub.mattermost.intern:{canary.port}/",
        f"http://mattermost.intern.example.com:{canary.port}/",
        f"http://127.0.0.1:{canary.port}/",
        f"http://user@mattermost.intern:{canary.port}/",
        f"gopher://mattermost.intern:{canary.port}/",
    ):
        with pytest.raises(PermanentError):
            http(["127.0.0.1"]).request("POST", url)

    assert (canary.connections, canary.heard) == (0, b"")
