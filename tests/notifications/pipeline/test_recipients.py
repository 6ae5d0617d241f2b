"""Who is meant: every way to name people, in chunks, each once."""

from __future__ import annotations

import tracemalloc

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, User

from notifications.exceptions import WrongRecipients
from notifications.pipeline.recipients import Chunk, chunks, key_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    model = get_user_model()
    model.objects.bulk_create(model(username=f"user{number:03}") for number in range(7))
    return model.objects.all()


def listed(given, size=3):
    return list(chunks(given, size=size))


def keys(given, size=3):
    return [key for chunk in listed(given, size) for key in chunk.recipients]


def test_a_list_comes_in_chunks_in_its_own_order():
    assert listed([5, 4, 3, 2], size=2) == [
        Chunk(recipients=["5", "4"], duplicate_count=0),
        Chunk(recipients=["3", "2"], duplicate_count=0),
    ]


def test_who_is_named_again_is_counted_with_the_chunk_that_was_being_filled():
    assert listed([1, 1, 2, 1, 3, 3, 3], size=2) == [
        Chunk(recipients=["1", "2"], duplicate_count=2),
        Chunk(recipients=["3"], duplicate_count=2),
    ]


@pytest.mark.parametrize("given", [[], (), iter(())], ids=["list", "tuple", "iterator"])
def test_nobody_is_no_chunk(given):
    assert listed(given) == []


def test_a_generator_is_read_once():
    assert keys(number for number in range(1, 8)) == [str(number) for number in range(1, 8)]


@pytest.mark.parametrize(
    "narrow",
    [
        lambda people: people,
        lambda people: people.order_by("-username"),
        lambda people: people.order_by("-pk")[:5],
        lambda people: people.filter(username__lt="user003").union(people.filter(username__gt="user004")),
        lambda people: people.none(),
    ],
    ids=["all", "ordered", "sliced", "union", "none"],
)
def test_a_queryset_is_read_by_primary_key_whatever_its_shape(people, narrow):
    wanted = sorted(person.pk for person in narrow(people))

    assert keys(narrow(people)) == [str(pk) for pk in wanted]


def test_a_join_that_names_somebody_twice_tells_them_once(people):
    groups = [Group.objects.create(name=name) for name in ("buyers", "readers")]
    for person in people:
        person.groups.add(*groups)

    (chunk,) = listed(User.objects.filter(groups__in=groups), size=50)

    assert chunk.recipients == sorted((str(person.pk) for person in people), key=int)
    assert chunk.duplicate_count == 7


@pytest.mark.parametrize(
    ("recipient", "said"),
    [
        (None, "The recipient is None"),
        (True, "The recipient is True"),
        ("alice", "'alice' is not a primary key of User"),
        (User(username="new"), "not saved yet"),
        (Group(name="g"), "pass a User or its primary key"),
    ],
    ids=["none", "bool", "name", "unsaved", "other model"],
)
def test_what_is_no_user_is_refused_by_name(recipient, said):
    with pytest.raises(WrongRecipients, match=said):
        key_of(recipient)


def test_reading_a_queryset_takes_no_more_memory_for_more_people(django_user_model):
    def peak(number):
        django_user_model.objects.all().delete()
        django_user_model.objects.bulk_create(
            (django_user_model(username=f"user{index}") for index in range(number)), batch_size=500
        )
        tracemalloc.start()
        assert sum(len(chunk.recipients) for chunk in chunks(django_user_model.objects.all(), size=50)) == number
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    small = peak(4000)

    assert peak(16_000) < small * 1.5
