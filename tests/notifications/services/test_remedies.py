"""What staff are told they can do."""

from __future__ import annotations

from uuid import UUID

import pytest

from notifications.services.explanation import Basis, Line, Row
from notifications.services.remedies import PAUSED, Remedy, remedy

ROW = Row(kind="delivery", id=UUID(int=1))


def line(**changes):
    return Line(text="", basis=Basis.RECORDED, **changes)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"state": "suppressed", "reason": "category_off"}, Remedy.CHANGE_WISH),
        ({"state": "suppressed", "reason": "no_address"}, Remedy.GIVE_ADDRESS),
        ({"state": "suppressed", "reason": "suppressed_address"}, Remedy.LIFT_SUPPRESSION),
        ({"state": "failed", "reason": "render_error", "row": ROW}, Remedy.EDIT_TEMPLATE),
        ({"state": "failed", "reason": "retries_exhausted", "row": ROW}, Remedy.SEND_AGAIN),
        ({"state": "unknown", "row": ROW}, Remedy.SEND_AGAIN),
        # It would fail if it were published: there is nothing to send again.
        ({"state": "failed"}, None),
        ({"state": PAUSED}, Remedy.RESUME),
        ({"state": "sent"}, None),
        ({}, None),
    ],
    ids=repr,
)
def test_a_line_leads_to_what_can_be_done(said, expected):
    assert remedy(line(**said)) == expected
