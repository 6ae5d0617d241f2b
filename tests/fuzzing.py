"""
Let schemathesis loose on the API: hundreds of requests made from its own description, right ones and wrong ones.

    python -m tests.fuzzing SCHEMATHESIS [OPTIONS…]

runs that program against a site of its own, as a user with an inbox, and exits with its code.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.website import running_website

#: Items of the inbox that is asked.
ITEMS = 60
#: What the schema allows may still be refused: two filters that contradict each other, a snooze that is over.
CHECKS = """
[checks]
positive_data_acceptance.enabled = false
"""
CONFIG = """
headers = {{ X-CSRFToken = "{token}" }}
{checks}
[auth.openapi.session]
api_key = "{session}"

[dictionaries.ids]
values = {ids}

[dictionaries.names]
values = ["confirm_arrival"]

[parameters]
"path.id" = {{ dictionary = "ids", probability = 0.8 }}
"path.name" = {{ dictionary = "names", probability = 0.8 }}
"""


def prepare():
    """Make the database, and in it a user who has an inbox; return the configuration for the session of that user."""
    import django

    django.setup()
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.middleware.csrf import _get_new_csrf_string
    from django.test import Client

    from tests.factories import make_item, make_template

    call_command("migrate", verbosity=0)
    alice = get_user_model().objects.create_user("alice", email="alice@example.com")
    template = make_template("ORDER_CREATED")
    button = [{"name": "confirm_arrival", "run_at": None, "result": ""}]
    ids = [str(make_item(alice, template, actions=button, about="orders.order:1").pk) for _ in range(ITEMS)]
    client = Client()
    client.force_login(alice)
    session = client.session
    token = session["_csrftoken"] = _get_new_csrf_string()
    session.save()
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    return CONFIG.format(token=token, session=cookie, ids=ids, checks=CHECKS)


def main():
    program, options = str(Path(sys.argv[1]).resolve()), sys.argv[2:]
    with tempfile.TemporaryDirectory(prefix="fuzzing-") as folder:
        database = f"sqlite:///{Path(folder) / 'site.sqlite3'}"
        os.environ |= {
            "DATABASE_URL": database,
            "DJANGO_SETTINGS_MODULE": "tests.website.settings",
            "CSRF_USE_SESSIONS": "yes",
        }
        config = Path(folder) / "schemathesis.toml"
        config.write_text(prepare(), encoding="utf-8")
        # The stream is no part of the description: its address would be taken for an item's.
        with running_website(database, entrance="django") as url:
            command = [program, "--config-file", str(config), "run", f"{url}/api/schema/?format=json", *options]
            # One worker: two at once have met a fault of Python 3.11 in parsing source.
            return subprocess.run([*command, "--workers", "1"], cwd=folder, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
