"""The plugin as pytest loads it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from notifications import testing


def test_it_can_be_imported_before_django_is_set_up():
    program = "import sys, notifications.testing.plugin; sys.exit('notifications.models' in sys.modules)"

    subprocess.run([sys.executable, "-c", program], check=True, env={})


def test_the_kit_has_what_it_lists_and_nothing_else():
    assert {name: getattr(testing, name).__name__ for name in testing.__all__} == {
        name: name for name in testing.__all__
    }
    with pytest.raises(AttributeError, match=r"module 'notifications\.testing' has no attribute 'assert_publsihed'"):
        testing.assert_publsihed  # noqa: B018 - read on purpose
