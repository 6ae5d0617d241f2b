"""Users as the pipeline sees them, by columns or by what the project's user model says of itself."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser

from notifications.pipeline import people


class Nicknamed:
    """What a project might add to its user model."""

    first_name: str

    def get_short_name(self):
        return f"Captain {self.first_name}"


@pytest.fixture
def of_its_own(monkeypatch):
    """Have the user model name people by itself."""
    monkeypatch.setattr(get_user_model(), "get_short_name", Nicknamed.get_short_name)


def found(*users):
    return sorted(people.people(people.wanted(str(user.pk) for user in users)))


def test_people_are_called_by_their_first_name_or_else_by_the_one_they_log_in_with(alice, bob):
    bob.first_name = ""
    bob.email = ""
    bob.is_active = False
    bob.save()

    assert found(alice, bob) == [
        people.Person(alice.pk, alice.first_name or "alice", "alice@example.com", True),
        people.Person(bob.pk, "bob", "", False),
    ]


def test_both_ways_say_the_same(alice, bob, monkeypatch):
    by_columns = found(alice, bob)
    monkeypatch.setattr(people, "_is_named_by_django", lambda model: False)

    assert found(alice, bob) == by_columns


def test_a_user_model_that_names_people_by_itself_is_asked(alice, of_its_own):
    alice.first_name = "Alice"
    alice.save()

    assert found(alice)[0].name == "Captain Alice"


def test_it_is_one_query(alice, bob, django_assert_num_queries):
    with django_assert_num_queries(1):
        found(alice, bob)


@pytest.mark.parametrize("bases", [(object,), (Nicknamed, AbstractUser)], ids=["another-model", "another-name"])
def test_only_djangos_own_way_is_known_beforehand(bases):
    attributes = {"USERNAME_FIELD": "username", "__module__": __name__, "Meta": type("Meta", (), {"abstract": True})}

    assert not people._is_named_by_django(type("User", bases, attributes))
