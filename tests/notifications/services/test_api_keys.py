"""Keys of other services: known again, and never again shown."""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.core import serializers
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications.models import ApiKey
from notifications.services.api_keys import WrongApiKey, authenticate, issue, named, prefix_of, revoke, rotate

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def issued(template):
    return issue("billing", now=NOW, templates=["ORDER_CREATED"])


def test_a_key_opens_what_it_was_made_for(issued):
    key = authenticate(issued.text, now=NOW)

    assert key == issued.key
    assert re.fullmatch(r"ntf_[a-z0-9]{12}_[A-Za-z0-9]{40}", issued.text)
    assert (key.allows("ORDER_CREATED"), key.allows("ORDER_SHIPPED")) == (True, False)


def test_two_keys_have_nothing_in_common(template):
    first, second = (issue("billing", now=NOW) for _ in range(2))

    assert first.key.prefix != second.key.prefix
    assert first.text.rpartition("_")[2] != second.text.rpartition("_")[2]


@pytest.mark.parametrize(
    ("templates", "allowed"), [([], False), (["*"], True), (["OTHER"], False), (["ORDER_CREATED"], True)], ids=str
)
def test_what_it_may_publish_is_what_it_names(templates, allowed):
    assert ApiKey(templates=templates).allows("ORDER_CREATED") is allowed


def test_only_the_hash_is_stored(issued):
    stored = serializers.serialize("json", ApiKey.objects.all())

    assert issued.text.rpartition("_")[2] not in stored
    assert issued.key.hash == hashlib.sha256(issued.text.encode()).hexdigest()


def test_the_key_is_in_no_repr_and_no_log(template, caplog):
    with caplog.at_level(logging.DEBUG):
        issued = issue("billing", now=NOW)
        authenticate(issued.text, now=NOW)
        shown = f"{issued!r} {issued!s} {issued.key!r} {issued.key!s} {[issued]}"

    secret = issued.text.rpartition("_")[2]
    assert secret not in shown
    assert issued.key.hash not in shown
    assert secret not in caplog.text


def wrong(issued):
    return {
        "another secret": issued.text[:-1] + ("a" if issued.text[-1] != "a" else "b"),
        "no secret": issued.text.rpartition("_")[0] + "_",
        "prefix only": issued.key.prefix,
        "another prefix": f"ntf_{'0' * 12}_{issued.text.rpartition('_')[2]}",
        "the hash": issued.key.hash,
        "longer": issued.text + "a",
        "upper case": issued.text.upper(),
        "nothing": "",
        "not ASCII": "ntf_" + "é" * 12 + "_x",
        "NUL": "ntf_\x00_\x00",
        "lone surrogate": "ntf_\ud800_x",
        "huge": "ntf_" + "a" * 100_000,
    }


@pytest.mark.parametrize("kind", list(wrong(type("", (), {"text": "ntf_a_b", "key": ApiKey()})())))
def test_nothing_else_will_do(issued, kind):
    assert authenticate(wrong(issued)[kind], now=NOW) is None


def test_it_ends_when_it_expires_to_the_second(template):
    issued = issue("billing", now=NOW, expires_at=NOW + timedelta(hours=1))

    assert authenticate(issued.text, now=NOW + timedelta(minutes=59))
    assert authenticate(issued.text, now=NOW + timedelta(hours=1)) is None


def test_revoked_is_over_at_once_and_for_good(issued):
    assert revoke(ApiKey.objects.all(), now=NOW) == 1
    assert revoke(ApiKey.objects.all(), now=NOW + timedelta(days=1)) == 0

    assert authenticate(issued.text, now=NOW) is None
    assert ApiKey.objects.get().revoked_at == NOW


def test_refusing_takes_one_question_whatever_the_reason(template):
    dead = issue("dead", now=NOW)
    revoke(ApiKey.objects.all(), now=NOW)
    late = issue("late", now=NOW, expires_at=NOW + timedelta(hours=1))
    later = NOW + timedelta(days=1)

    for text in (dead.text, late.text, *wrong(late).values()):
        with CaptureQueriesContext(connection) as captured:
            assert authenticate(text, now=later) is None
        assert len(captured) == 1, text[:40]


def test_its_use_is_noted_once_a_minute(issued):
    def used_at(moment):
        with CaptureQueriesContext(connection) as captured:
            authenticate(issued.text, now=moment)
        return len(captured), ApiKey.objects.get().last_used_at

    assert used_at(NOW) == (2, NOW)
    assert used_at(NOW + timedelta(seconds=59)) == (1, NOW)
    assert used_at(NOW + timedelta(seconds=60)) == (2, NOW + timedelta(seconds=60))


def test_a_wrong_try_is_not_a_use(issued):
    authenticate(wrong(issued)["another secret"], now=NOW)

    assert ApiKey.objects.get().last_used_at is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"name": " "}, "name is empty"),
        ({"name": "x" * 101}, "longer than 100"),
        ({"name": "a\x00b"}, "not printable"),
        ({"templates": ["ORDER_CREATD"]}, "No template 'ORDER_CREATD' (did you mean 'ORDER_CREATED'?)"),
        ({"expires_at": NOW}, "would have expired already"),
    ],
    ids=str,
)
def test_a_key_that_makes_no_sense_is_not_made(template, given, said):
    with pytest.raises(WrongApiKey, match=re.escape(said)):
        issue(**{"name": "billing", "now": NOW, **given})
    assert not ApiKey.objects.exists()


def test_an_unknown_prefix_names_the_one_probably_meant(issued):
    with pytest.raises(WrongApiKey, match=rf"did you mean '{issued.key.prefix}'"):
        named(issued.key.prefix[:-1])


def test_the_error_never_repeats_a_secret(issued):
    with pytest.raises(WrongApiKey) as refused:
        named(issued.text)

    assert issued.text.rpartition("_")[2] not in str(refused.value)
    assert prefix_of(issued.text) == issued.key.prefix


def test_secrets_are_compared_in_constant_time(issued, monkeypatch):
    asked, real = [], hmac.compare_digest

    def compare(a, b):
        asked.append((a, b))
        return real(a, b)

    monkeypatch.setattr(hmac, "compare_digest", compare)

    authenticate(issued.text, now=NOW)
    authenticate("nothing", now=NOW)

    assert [len(a) == len(b) == 64 for a, b in asked] == [True, True]


@pytest.mark.parametrize(
    ("overlap", "after"),
    [(timedelta(0), timedelta(0)), (timedelta(days=1), timedelta(days=1))],
    ids=["at once", "a day"],
)
def test_a_key_is_rotated_and_the_former_works_for_as_long_as_was_said(issued, overlap, after):
    new = rotate(issued.key, now=NOW, overlap=overlap)

    assert authenticate(new.text, now=NOW + timedelta(days=400)) == new.key
    assert (new.key.name, new.key.templates) == ("billing", ["ORDER_CREATED"])
    if overlap:
        assert authenticate(issued.text, now=NOW + after - timedelta(seconds=1)) == issued.key
    assert authenticate(issued.text, now=NOW + after) is None


def test_a_key_that_ends_sooner_is_not_prolonged_by_rotating_it(template):
    ends = NOW + timedelta(hours=1)
    issued = issue("billing", now=NOW, expires_at=ends)

    new = rotate(issued.key, now=NOW, overlap=timedelta(days=7))

    assert ApiKey.objects.get(pk=issued.key.pk).expires_at == new.key.expires_at == ends


def test_what_works_no_more_is_not_rotated(issued):
    revoke(ApiKey.objects.all(), now=NOW)
    issued.key.refresh_from_db()

    with pytest.raises(WrongApiKey, match="make a new one"):
        rotate(issued.key, now=NOW, overlap=timedelta(0))


def test_a_template_that_is_gone_is_left_out_of_the_new_key(issued):
    issued.key.templates = ["ORDER_CREATED", "GONE"]

    assert rotate(issued.key, now=NOW, overlap=timedelta(0)).key.templates == ["ORDER_CREATED"]
