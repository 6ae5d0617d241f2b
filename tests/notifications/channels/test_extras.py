"""What is optional is not imported by anybody who did not ask for it."""

from __future__ import annotations

import os
import subprocess
import sys

WITHOUT = """
import sys

for name in ("cryptography", "jwt"):
    sys.modules[name] = None  # importing it raises ImportError

import django
from django.conf import settings
from django.core.management import call_command

django.setup()
call_command("check")
assert "notifications.api.endpoints" in sys.modules, "the check did not read the URLs"

settings.NOTIFICATION_CHANNELS = {"web_push": {"BACKEND": "notifications.channels.web_push.WebPushChannel"}}
try:
    call_command("check")
except Exception as error:
    assert "cryptography" in str(error) or "jwt" in str(error), error
    print("told")
"""


def test_the_site_runs_without_the_extra_of_push_and_says_what_is_missing_where_it_is_used():
    environment = {name: value for name, value in os.environ.items() if name not in {"REDIS_URL", "BROKER_URL"}}
    program = subprocess.run(
        [sys.executable, "-c", WITHOUT],
        env={**environment, "DJANGO_SETTINGS_MODULE": "config.test_settings"},
        check=False,
        capture_output=True,
        text=True,
    )

    assert program.returncode == 0, program.stderr
    assert program.stdout.splitlines()[-1] == "told"
