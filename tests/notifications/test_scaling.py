"""What docs/scaling.md says to change when one machine is outgrown, with the engine on top of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection, router, transaction
from django.db.models import F
from django.utils import timezone

from notifications import clock, ids
from notifications.maintenance import pruner
from notifications.models import Attempt, Delivery, FrequencyCount, Notification
from notifications.publishing import publish_notification
from notifications.services import inbox
from notifications.services.audit import audit
from notifications.services.counts import counts
from notifications.testing.work import Work
from notifications.types import DeliveryState
from tests.factories import make_item
from tests.test_documentation import code

pytestmark = pytest.mark.django_db

PAGE = "docs/scaling.md"
TABLES = ("notification", "delivery", "attempt")
only_postgresql = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no partitions")


def partition(tonight):
    """Run the two blocks of the page; rows from `tonight` on come into the second partitions."""
    times = {":tonight": tonight, ":in_a_week": tonight + timedelta(days=7)}
    statements = code(PAGE, 1, "sql")
    for name, instant in times.items():
        statements = statements.replace(name, f"'{instant.isoformat()}'::timestamptz")
    with connection.cursor() as cursor:
        # What the fixtures wrote is checked now: a table with checks to come cannot be altered.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(code(PAGE, 0, "sql"))
        cursor.execute(statements)


def partitions_of(table):
    """Return how many rows each partition holds that has any."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT tableoid::regclass::text, count(*) FROM notifications_{table} GROUP BY 1"  # noqa: S608
        )
        return {name.removeprefix(f"notifications_{table}_"): number for name, number in cursor.fetchall()}


@only_postgresql
def test_the_engine_works_on_partitions_by_time(alice, bob, template):
    now = timezone.now()
    make_item(alice, template, id=ids.uuid7_at(now - timedelta(days=2)))
    partition(now - timedelta(hours=1))

    for user in (alice, bob):
        publish_notification("ORDER_CREATED", recipient=user, variables={"order_number": "1"})
    Work().run()

    new = f"{now - timedelta(hours=1):%Y%m%d}"
    assert partitions_of("notification") == {"past": 1, new: 2}
    assert set(partitions_of("delivery")) == set(partitions_of("attempt")) == {new}
    assert set(Delivery.objects.values_list("state", flat=True)) <= {DeliveryState.SENT, DeliveryState.SUPPRESSED}
    assert not audit(now=clock.now()).findings
    # The inbox is one, whichever partitions hold it.
    assert inbox.matching(alice, inbox.Filter()).count() == counts(alice)["unread"] == 2
    assert inbox.mark(inbox.matching(alice, inbox.Filter()), "read", now=clock.now()) == 2
    assert counts(alice)["unread"] == 0


@only_postgresql
def test_a_second_copy_is_refused_within_a_partition(alice, template):
    partition(timezone.now() - timedelta(hours=1))
    first = make_item(alice, template)

    with pytest.raises(Exception, match="event_id"), transaction.atomic():
        make_item(alice, template, event_id=first.event_id)


@only_postgresql
def test_retention_and_taking_away_a_partition_leave_the_rest(alice, template, settings):
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "RETENTION_INBOX_DAYS": 1}
    now = timezone.now()
    make_item(alice, template, id=ids.uuid7_at(now - timedelta(days=2)))
    partition(now - timedelta(hours=1))
    kept = make_item(alice, template)

    pruner.run_once(clock.now(), 100)

    assert list(Notification.objects.all()) == [kept]
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("DROP TABLE notifications_attempt_past, notifications_delivery_past")
    assert not Delivery.objects.exists()
    assert not Attempt.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_router_reads_inboxes_from_the_replica_and_writes_to_the_primary(alice, template, settings):
    space: dict = {}
    exec(code(PAGE, 0), space)  # noqa: S102 - our own page
    replicas = space["InboxReplica"]()
    item = make_item(alice, template)
    item._state.db = "replica"

    assert replicas.db_for_read(Notification) == "replica"
    assert replicas.db_for_read(Delivery) == "default"
    assert replicas.db_for_write(Notification, instance=item) == "default"
    with transaction.atomic():
        assert replicas.db_for_read(Notification) == "default"
    assert router.db_for_write(Notification) == "default"


@only_postgresql
def test_large_tables_are_swept_at_a_hundredth(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname, reloptions FROM pg_class WHERE reloptions IS NOT NULL AND relkind = 'r'")
        options = dict(cursor.fetchall())

    for table in ("event", *TABLES):
        assert "autovacuum_vacuum_scale_factor=0.01" in options[f"notifications_{table}"]
    assert "fillfactor=50" in options["notifications_event"]


@pytest.mark.django_db(transaction=True)
def test_what_is_counted_up_touches_no_index(alice, template):
    """Each new version finds room in its page, and is found through the old one."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite updates in place")
    day = timezone.now().date()
    people = get_user_model().objects.bulk_create([get_user_model()(username=f"u{number}") for number in range(300)])
    FrequencyCount.objects.bulk_create(
        [FrequencyCount(recipient=user, category=template.category, day=day, number=1) for user in people]
    )
    # Some now, some then, as they come.
    for remainder in range(3):
        FrequencyCount.objects.filter(recipient__in=people[remainder::10]).update(number=F("number") + 1)

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute(
            "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'notifications_frequencycount'"
        )
        updated, hot = cursor.fetchone()
    assert hot == updated > 0


@pytest.mark.django_db(transaction=True)
def test_the_migration_can_be_taken_back():
    call_command("migrate", "notifications", "0017", verbosity=0)
    call_command("migrate", "notifications", verbosity=0)
