"""The conformance suite explains its failures like any test module."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("tests.notifications.channels.conformance")
