"""Users by what people call them."""

from __future__ import annotations

import pytest

from notifications.services.finding import UnknownUser, user_named


@pytest.mark.parametrize("name", ["alice", " ALICE@example.com ", "pk"])
def test_a_user_is_found_by_what_is_theirs_alone(alice, name):
    assert user_named(str(alice.pk) if name == "pk" else name) == alice


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("alcie", "did you mean 'alice'"),
        ("alice@example.co", "did you mean 'alice@example.com'"),
        ("", "No user ''"),
        ("a\x00", "No user"),
        ("9" * 30, "No user '999"),
        ("-" + "9" * 30, "No user '-999"),
        ("nobody at all", "No user 'nobody at all'; pass a username"),
    ],
)
def test_nobody_is_said_to_be_nobody_with_who_may_be_meant(alice, name, said):
    with pytest.raises(UnknownUser) as error:
        user_named(name)

    assert said in str(error.value)


def test_several_are_named(alice, bob):
    type(bob).objects.filter(pk=bob.pk).update(email="alice@example.com")

    with pytest.raises(UnknownUser, match=rf"{alice.pk} \(alice\), {bob.pk} \(bob\)"):
        user_named("alice@example.com")
