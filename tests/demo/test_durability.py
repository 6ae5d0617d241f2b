"""What `kill -9` does to the demo: nothing that a restart does not mend."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from email import message_from_bytes

from django.conf import settings

EVENTS = 800
#: Of these, so many are told by text message, too.
TEXTED = 150
#: Seconds for all of them, after the restart.
PATIENCE = 60

#: Run with the demo's settings, beside it: another process publishes into the same database.
PUBLISH = f"""
import django
django.setup()
from django.contrib.auth.models import User
from notifications.publishing import publish_notification
alice = User.objects.get(username="alice")
for number in range({EVENTS}):
    variables = {{"order_number": f"ORD-{{number}}", "tracking_code": "1Z"}}
    channels = ["in_app", "email", "sms"] if number < {TEXTED} else ["in_app", "email"]
    publish_notification("ORDER_SHIPPED", recipient=alice, variables=variables, channels=channels)
"""

COUNTS = """
SELECT (SELECT count(*) FROM notifications_event WHERE state <> 'dispatched'),
       (SELECT count(*) FROM notifications_delivery WHERE state IN ('pending', 'sending'))
"""


def test_killed_while_it_works_it_loses_and_repeats_nothing(demo):
    first = demo.open()
    with closing(sqlite3.connect(demo.folder / "demo.sqlite3", timeout=20)) as database:
        publisher = publish(demo)
        wait_until(lambda: count(database, "delivery", "channel = 'email' AND state = 'sent'") > 0)
        first.kill()
        first.wait()
        sent_at_the_kill = count(database, "delivery", "channel = 'email' AND state = 'sent'")
        assert publisher.wait(PATIENCE) == 0
        assert count(database, "event") == EVENTS

        demo.open()
        wait_until(lambda: database.execute(COUNTS).fetchone() == (0, 0))

        assert 0 < sent_at_the_kill < EVENTS, "it was not killed in the middle of its work"
        assert count(database, "notification", "listed_at IS NOT NULL") == EVENTS
        assert count(database, "event", "id IN (SELECT event_id FROM notifications_notification)") == EVENTS
        states = Counter(database.execute("SELECT channel, state FROM notifications_delivery"))
        # A text message that was on its way may have gone out or not: it is not sent again, and somebody is told.
        assert states["sms", "sent"] + states["sms", "unknown"] == TEXTED
        assert states["email", "sent"] == EVENTS
        assert email_subjects(demo) == {f"Your order ORD-{number} is on its way" for number in range(EVENTS)}
        assert max(Counter(text_messages(demo)).values()) == 1
        assert states["sms", "sent"] <= len(text_messages(demo)) <= TEXTED


def publish(demo):
    environment = demo.environment | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    return subprocess.Popen([sys.executable, "-c", PUBLISH, "demo"], cwd=settings.BASE_DIR, env=environment)


def wait_until(is_so):
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def count(database, table, condition="1"):
    return database.execute(f"SELECT count(*) FROM notifications_{table} WHERE {condition}").fetchone()[0]  # noqa: S608


def email_subjects(demo):
    """Return the subjects of all e-mails, each once."""
    separator = b"\n" + b"-" * 79 + b"\n"
    files = [path.read_bytes().split(separator)[:-1] for path in (demo.folder / "mail").iterdir()]
    return {message_from_bytes(message)["Subject"] for messages in files for message in messages}


def text_messages(demo):
    """Return the delivery of each text message."""
    lines = (demo.folder / "sms.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["delivery_id"] for line in lines]
