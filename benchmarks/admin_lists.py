"""
How long staff wait for the pages of the logs, among many old rows.

    python -m tests.services -- python -m benchmarks.admin_lists [NOTIFICATIONS]

Loads that many (`old_rows`), lets some fail, wait, or be suppressed, and asks for each page as the admin does: in this
process, without a network, five times; prints the median and the number of queries.
"""

from __future__ import annotations

import os
import statistics
import sys
import time

DEFAULT = 2_500_000
ASKED_TIMES = 5
SECRET = "benchmark"  # noqa: S105 - of nothing

#: What came to other ends than `sent`: by the last digits of the row's id, spread over all of the time.
FATES = """
UPDATE notifications_delivery SET state = 'failed', sent_at = NULL,
  reason = CASE WHEN id::text LIKE '%0ab' THEN 'rejected' ELSE 'retries_exhausted' END
  WHERE channel = 'email' AND id::text LIKE '%ab';
UPDATE notifications_delivery SET state = 'pending', reason = 'quiet_hours', finished_at = NULL, sent_at = NULL
  WHERE channel = 'email' AND id::text LIKE '%cd1';
UPDATE notifications_delivery SET state = 'suppressed', sent_at = NULL,
  reason = CASE WHEN id::text LIKE '%77e' THEN 'frequency_cap' ELSE 'muted' END
  WHERE channel = 'email' AND id::text LIKE '%e';
UPDATE notifications_delivery SET priority = 0 WHERE id::text LIKE '%f00';
"""


def main() -> None:
    """Load, ask, print."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ.setdefault("SECRET_KEY", SECRET)
    os.environ.setdefault("ALLOWED_HOSTS", "testserver")
    import django

    django.setup()
    from django.core.management import call_command

    from benchmarks.old_rows import load_old_rows

    call_command("migrate", verbosity=0)
    load_old_rows(os.environ["DATABASE_URL"], int(sys.argv[1]) if sys.argv[1:] else DEFAULT)
    _spread()
    for name, address in _pages().items():
        _ask(name, address)


def _spread() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        for statement in filter(str.strip, FATES.split(";")):
            cursor.execute(statement)
        cursor.execute("VACUUM (ANALYZE) notifications_delivery")


def _pages() -> dict[str, str]:
    """Return the pages, by what they show."""
    from django.contrib.auth import get_user_model
    from django.urls import reverse

    from benchmarks.old_rows import BIG
    from notifications.models import Delivery, Notification

    deliveries = reverse("admin:notifications_delivery_changelist")
    notifications = reverse("admin:notifications_notification_changelist")
    person = reverse("admin:notifications_timeline", args=[get_user_model().objects.get(username="reader-7").pk])
    big = reverse("admin:notifications_timeline", args=[get_user_model().objects.get(username=BIG).pk])
    oldest = Delivery.objects.order_by("pk").values_list("pk", flat=True)[5000]
    failed = Delivery.objects.filter(state="failed").order_by("pk").first()
    assert failed is not None
    find = reverse("admin:notifications_find")
    about = Notification.objects.exclude(about="").order_by("pk")[0].about
    return {
        "deliveries": deliveries,
        "deliveries, the last pages": f"{deliveries}?before={oldest}",
        "state": f"{deliveries}?state__exact=failed",
        "state that most have": f"{deliveries}?state__exact=sent",
        "state: waiting": f"{deliveries}?state__exact=pending",
        "state, reason, channel": f"{deliveries}?state__exact=failed&reason__exact=rejected&channel__exact=email",
        "state, template": f"{deliveries}?state__exact=failed&template__exact=OLD_2",
        "reason, few": f"{deliveries}?reason__exact=frequency_cap",
        "reason, none": f"{deliveries}?reason__exact=hard_bounce",
        "channel": f"{deliveries}?channel__exact=email",
        "channel, none": f"{deliveries}?channel__exact=chat",
        "template, priority": f"{deliveries}?template__exact=OLD_3&priority__exact=0",
        "time": f"{deliveries}?since=2020-01-01T00:00&until={time.strftime('%Y-%m-01T00:00')}",
        "time, channel, state": f"{deliveries}?until={time.strftime('%Y-%m-01T00:00')}&channel__exact=email&state__exact=suppressed",
        "broadcast, none": f"{deliveries}?broadcast__exact={failed.pk}",
        "notifications": notifications,
        "notifications, template": f"{notifications}?template__exact=OLD_4",
        "timeline": person,
        "timeline of the one told most": big,
        "find an order": f"{find}?q={about}",
        "find an id": f"{find}?q={failed.pk}",
        "a delivery": reverse("admin:notifications_delivery_change", args=[failed.pk]),
        "send round again, counted": f"{reverse('admin:notifications_delivery_bulk_retry')}?state__exact=failed",
    }


def _ask(name: str, address: str) -> None:
    from django.contrib.auth import get_user_model
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    staff, _ = get_user_model().objects.get_or_create(username="benchmark", is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(staff)
    took = []
    for _number in range(ASKED_TIMES):
        began = time.perf_counter()
        response = client.get(address, secure=True)
        took.append((time.perf_counter() - began) * 1000)
    with CaptureQueriesContext(connection) as captured:
        client.get(address, secure=True)
    print(f"{name:32} {statistics.median(took):7.0f} ms  {len(captured):3} queries  {response.status_code}", flush=True)


if __name__ == "__main__":
    main()
