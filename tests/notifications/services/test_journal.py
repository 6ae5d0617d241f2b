"""The log of changes says from what to what, and keeps secrets."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import CHANGE, LogEntry

from notifications.services import journal
from tests.factories import make_template


def test_a_change_is_written_with_who_what_and_the_values(admin_user):
    template = make_template("ORDER_CREATED")

    journal.record(admin_user, template, "Disabled.", changes={"disabled_at": (None, "2030-01-01"), "name": ("A", "B")})

    entry = LogEntry.objects.get()
    assert (entry.user, entry.get_edited_object(), entry.action_flag) == (admin_user, template, CHANGE)
    assert entry.get_change_message() == "Disabled. disabled_at: - → 2030-01-01; name: A → B"


def test_the_same_of_many_and_of_none(admin_user):
    templates = [make_template("ONE"), make_template("TWO")]

    journal.record_all(admin_user, templates, "Enabled.")
    journal.record_all(admin_user, [], "Disabled.")

    assert set(LogEntry.objects.values_list("object_id", "change_message")) == {
        ("ONE", "Enabled."),
        ("TWO", "Enabled."),
    }


@pytest.mark.parametrize(
    ("name", "old", "new", "line"),
    [
        ("name", "", "New", "name: - → New"),
        ("cap", 0, None, "cap: 0 → -"),
        ("on", True, False, "on: True → False"),
        ("password", "hunter2", "hunter3", "password: ••• → •••"),
        ("signing_secret", "a", "b", "signing_secret: ••• → •••"),
        ("body", "a\n  b", "a c", "body: a b → a c"),
        ("body", "x" * 500, "x" * 500 + "!", f"body: …{'x' * 15} → …{'x' * 15}!"),
        ("body", "A" + "x" * 500, "B" + "x" * 500, f"body: A{'x' * 59}… → B{'x' * 59}…"),
        ("body", "", "x" * 500, f"body: - → {'x' * 60}…"),
    ],
)
def test_a_value_is_shown_as_far_as_it_helps(name, old, new, line):
    assert journal.diff({name: (old, new)}) == [line]
