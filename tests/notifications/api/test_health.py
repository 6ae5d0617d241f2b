"""Health and metrics over HTTP: who may ask, and what a stranger learns."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import OperationalError, connection, connections
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from notifications import conf
from notifications.models import WorkerHeartbeat
from tests.notifications.pipeline.test_claiming import make_delivery, make_event
from tests.notifications.services.test_health import make_worker

URLS = ("/health/live", "/health/ready", "/metrics")
TOKEN = "correct horse battery staple"
STRANGER = {"REMOTE_ADDR": "203.0.113.9"}


@pytest.fixture
def worker(db):
    return make_worker(seen_at=timezone.now())


@pytest.fixture
def token(settings):
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "METRICS_TOKEN": TOKEN}
    return {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def no_database(db, monkeypatch):
    """Let new connections fail; the test's own stays."""
    monkeypatch.setitem(connections.settings["default"], "ENGINE", "django.db.backends.sqlite3")
    monkeypatch.setitem(connections.settings["default"], "NAME", "/nowhere/at/all/db.sqlite3")
    monkeypatch.setitem(connections.settings["default"], "OPTIONS", {})


def test_live_answers_without_a_database(client):
    response = client.get("/health/live", **STRANGER)

    assert response.status_code == 200
    assert response.json() == {"ok": True}


def test_ready_says_what_it_found(client, worker):
    response = client.get("/health/ready")

    assert response.status_code == 200
    found = response.json()
    assert found["ok"] is True
    assert found["checks"][0] == {"name": "database", "ok": True, "detail": "It answers."}
    assert [check["name"] for check in found["checks"]] == [
        "database",
        "migrations",
        "workers",
        "events",
        "deliveries",
        "digests",
    ]


def test_not_ready_is_503(client, worker, template):
    make_event(template, due_at=timezone.now() - timedelta(hours=1))

    response = client.get("/health/ready")

    assert response.status_code == 503
    assert [check["name"] for check in response.json()["checks"] if not check["ok"]] == ["events"]


def test_a_stranger_learns_whether_we_are_ready_and_nothing_else(client, worker):
    assert client.get("/health/ready", **STRANGER).json() == {"ok": True}

    WorkerHeartbeat.objects.all().delete()
    response = client.get("/health/ready", **STRANGER)

    assert response.status_code == 503
    assert response.json() == {"ok": False}


def test_metrics_are_the_text_prometheus_reads(client, worker):
    response = client.get("/metrics")

    assert response.status_code == 200
    assert response["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = {family.name for family in text_string_to_metric_families(response.content.decode())}
    assert "notifications_oldest_due_seconds" in families


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_without_a_token_this_machine_may_read_the_metrics(client, db, address):
    assert client.get("/metrics", REMOTE_ADDR=address).status_code == 200


@pytest.mark.parametrize("address", ["203.0.113.9", "10.0.0.1", "::ffff:10.0.0.1", "2001:db8::1", "", "unix:"])
def test_without_a_token_nobody_else_may(client, db, address):
    response = client.get("/metrics", REMOTE_ADDR=address)

    assert response.status_code == 404
    assert b"notifications_" not in response.content


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Via", "X-Forwarded-Proto"])
def test_a_forwarded_request_is_not_local_whatever_it_says(client, db, header):
    said = {header: "for=127.0.0.1" if header == "Forwarded" else "127.0.0.1"}

    assert client.get("/metrics", headers=said, **STRANGER).status_code == 404
    assert client.get("/metrics", headers=said, REMOTE_ADDR="127.0.0.1").status_code == 404


def test_with_a_token_whoever_shows_it_may_read_the_metrics(client, worker, token):
    assert client.get("/metrics", headers=token, **STRANGER).status_code == 200
    assert "checks" in client.get("/health/ready", headers=token, **STRANGER).json()


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Basic {TOKEN}",
        TOKEN,
        "Bearer пароль",
    ],
)
def test_with_a_token_set_nothing_else_will_do_not_even_from_here(client, worker, token, given):
    headers = {} if given is None else {"Authorization": given}

    response = client.get("/metrics", headers=headers, REMOTE_ADDR="127.0.0.1")

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"
    assert b"notifications_" not in response.content
    assert client.get("/health/ready", headers=headers).json() == {"ok": True}


def test_the_token_does_not_show_when_the_settings_are_printed(token):
    assert conf.current().metrics_token == TOKEN
    assert TOKEN not in repr(conf.current())


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_nothing_can_be_written(client, db, url, method):
    assert getattr(client, method)(url).status_code == 405


@pytest.mark.parametrize("url", URLS)
def test_head_is_get_without_a_body(client, worker, url):
    response = client.head(url)

    assert response.status_code == 200
    assert response.content == b""


@pytest.mark.parametrize("url", URLS)
def test_nothing_is_cached_and_no_session_is_touched(client, alice, worker, url):
    client.force_login(alice)
    before = Session.objects.get()

    response = client.get(url)

    assert response["Cache-Control"] == "no-store"
    assert "Cookie" not in response.headers.get("Vary", "")
    assert response.cookies == {}
    assert Session.objects.get().expire_date == before.expire_date


def test_no_session_and_no_user_is_read(client, alice, worker):
    client.force_login(alice)

    def refuse(execute, sql, params, many, context):
        assert "django_session" not in sql
        assert "auth_user" not in sql
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        assert [client.get(url).status_code for url in URLS] == [200, 200, 200]


@pytest.mark.parametrize("url", ["/metrics", "/health/nothing"])
def test_a_refusal_is_not_cached_either(client, url, db):
    response = client.get(url, **STRANGER)

    assert response.status_code == 404
    if url == "/metrics":
        assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize("url", URLS)
def test_a_probe_is_not_sent_away_to_https(client, worker, settings, url):
    settings.SECURE_SSL_REDIRECT = True

    assert client.get(url).status_code == 200
    assert client.get("/admin/").status_code == 301


def test_without_a_database_the_answer_is_503_and_tells_no_secret(client, no_database):
    response = client.get("/health/ready")

    assert response.status_code == 503
    assert response.json() == {
        "ok": False,
        "checks": [{"name": "database", "ok": False, "detail": "It does not answer: OperationalError."}],
    }


def test_without_a_database_the_process_still_tells_its_own_figures(client, no_database):
    response = client.get("/metrics")

    assert response.status_code == 200
    assert "notifications_database_up 0.0" in response.content.decode()
    assert "notifications_wakeups_dropped_total" in response.content.decode()


def test_no_address_host_or_error_text_is_told(client, alice, template):
    make_worker(seen_at=timezone.now(), host="secret-host", fault="consumer of deliver_sms")
    make_delivery(address="alice@example.com", due_at=timezone.now() - timedelta(hours=1))
    make_event(template, recipients=["alice"], variables={"order_number": "ORD-77"}, last_error="smtp.example.com")

    def fail(execute, sql, params, many, context):
        if "django_migrations" in sql:
            message = "connection to db.internal as shop with password hunter2 failed"
            raise OperationalError(message)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(fail):
        broken = client.get("/health/ready").content.decode()
    told = broken + client.get("/health/ready").content.decode() + client.get("/metrics").content.decode()

    assert json.loads(broken)["ok"] is False
    for secret in ("example.com", "secret-host", "ORD-77", "hunter2", "db.internal", "ORDER_CREATED"):
        assert secret not in told
