"""What staff and shipped files may say about a category or a template."""

from __future__ import annotations

import pytest

from notifications.pipeline import rules


def named(value):
    return value.__name__ if callable(value) else repr(value)


@pytest.mark.parametrize(
    ("read", "given"),
    [
        (rules.defaults, {}),
        (rules.defaults, {"sms": "off", "email": "daily", "in_app": "immediately"}),
        (rules.escalation, {}),
        (rules.escalation, {"email": 1800, "sms": 30 * 24 * 3600}),
        (rules.digest, {}),
        (rules.digest, {"window": 600}),
        (rules.digest, {"window": 600, "first_now": True, "template": "ORDER_SUMMARY"}),
        (rules.digest, {"window": 600, "sliding": True, "longest": 600}),
        (rules.digest, {"window": 600, "sliding": False}),
    ],
    ids=named,
)
def test_what_can_be_read_is_returned(read, given):
    assert read(given) == given


@pytest.mark.parametrize(
    ("read", "given", "message"),
    [
        (rules.defaults, ["sms"], r"Write it like \{\"sms\": \"off\"\}, not as a list"),
        (rules.defaults, {"smss": "off"}, r"No channel 'smss' \(did you mean 'sms'\?\); there are"),
        (rules.defaults, {"sms": "dayly"}, r"No cadence 'dayly' \(did you mean 'daily'\?\); there are"),
        (rules.escalation, "email", "not as a str"),
        (rules.escalation, {"in_app": 60}, "No channel 'in_app'"),
        (rules.escalation, {"email": 0}, "'email' is 0; write whole seconds"),
        (rules.escalation, {"email": 30 * 24 * 3600 + 1}, "at most 30 days"),
        (rules.escalation, {"email": True}, "'email' is True"),
        (rules.digest, None, "not as a NoneType"),
        (rules.digest, {"windows": 600}, r"A digest has no 'windows' \(did you mean 'window'\?\)"),
        (rules.digest, {"first_now": True}, "'window' is None"),
        (rules.digest, {"window": 1.5}, r"'window' is 1\.5"),
        (rules.digest, {"window": 600, "sliding": "yes"}, "'sliding' is 'yes'; write true or false"),
        (rules.digest, {"window": 600, "template": 1}, "'template' is 1; write the code of a template"),
        (rules.digest, {"window": 600, "longest": 900}, "'longest' is for a sliding window"),
        (rules.digest, {"window": 600, "sliding": True}, "'longest' is None"),
        (rules.digest, {"window": 600, "sliding": True, "longest": 60}, "'longest' is shorter than 'window'"),
    ],
    ids=named,
)
def test_what_cannot_be_read_is_refused_by_name(read, given, message):
    with pytest.raises(ValueError, match=message):
        read(given)
