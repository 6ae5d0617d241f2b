"""Keys of other services, from the command line."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from notifications.models import ApiKey
from notifications.services import api_keys
from notifications.services.api_keys import authenticate, prefix_of

pytestmark = pytest.mark.django_db


def run(*args):
    out, err = StringIO(), StringIO()
    call_command(*args, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_the_key_alone_is_on_standard_output(template):
    out, err = run("create_api_key", "billing", "--template", "ORDER_CREATED")

    key = authenticate(out.strip(), now=timezone.now())
    assert key is not None
    assert (key.name, key.templates, key.may_publish, key.may_read) == ("billing", ["ORDER_CREATED"], True, True)
    assert out.count("\n") == 1
    assert prefix_of(out.strip()) in err
    assert out.strip().rpartition("_")[2] not in err


def test_a_key_for_everything_that_only_reads_for_a_week(template):
    run("create_api_key", "dashboard", "--template", "*", "--may", "read", "--days", "7")

    key = ApiKey.objects.get()
    assert key.allows("WHATEVER")
    assert (key.may_publish, key.may_read) == (False, True)
    assert key.expires_at is not None
    assert 6 <= (key.expires_at - timezone.now()).days < 7


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["billing"], "required: --template"),
        (["billing", "--template", "ORDER_CREATD"], "No template 'ORDER_CREATD' (did you mean 'ORDER_CREATED'?)"),
        ([" ", "--template", "*"], "The name is empty"),
        (["billing", "--template", "*", "--days", "0"], "'0' is not a number above zero"),
        (["billing", "--template", "*", "--days", "9" * 12], "beyond the last year there is"),
        (["billing", "--template", "*", "--may", "fly"], "invalid choice: 'fly'"),
    ],
    ids=str,
)
def test_a_key_that_makes_no_sense_is_refused_with_what_to_write_instead(template, args, said):
    with pytest.raises(CommandError) as refused:
        run("create_api_key", *args)

    assert said in str(refused.value)
    assert not ApiKey.objects.exists()


@pytest.fixture
def issued(db):
    return api_keys.issue("billing", now=timezone.now())


@pytest.mark.parametrize("whole", [False, True], ids=["prefix", "whole key"])
def test_revoking_names_the_key_and_ends_it(issued, whole):
    given = issued.text if whole else issued.key.prefix

    first, second = run("revoke_api_key", given)[0], run("revoke_api_key", given)[0]

    assert first == f"billing ({issued.key.prefix}) is revoked\n"
    assert second == f"billing ({issued.key.prefix}) was revoked already\n"
    assert authenticate(issued.text, now=timezone.now()) is None


def test_revoking_what_is_not_there_says_so(issued):
    with pytest.raises(CommandError, match=f"did you mean '{issued.key.prefix}'"):
        run("revoke_api_key", issued.key.prefix[1:])
    assert ApiKey.objects.get().revoked_at is None
