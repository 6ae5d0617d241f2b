"""
Old rows: what a system has in its tables after months, for benchmarks that ask what they cost.

    python -m benchmarks.old_rows [NOTIFICATIONS]

Writes into the migrated PostgreSQL database of DATABASE_URL. For each notification two deliveries, in-app and e-mail, and the
try of the e-mail, if there was one; of the last tenth, the event. 100 notifications a person, and one person who has 1 of
every 200. Two months old at most, in the order of time, so that the rows of a person are scattered over the table as in life.

What makes it fast: one statement for each `CHUNK` rows; no triggers, so foreign keys are not checked; indexes that are not
unique are dropped before and made after, so they are as dense as after REINDEX. Keys and unique indexes stay in place.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFAULT = 10_000_000
#: Notifications of one transaction.
CHUNK = 200_000
PER_PERSON = 100
#: The one with the large inbox has one of so many: 50 000 of 10 million.
BIG_SHARE = 200
BIG = "reader-0"
DAYS = 60
#: Events are kept for a day and notifications for ever: the last one of so many has its event still.
EVENT_SHARE = 10
TABLES = ("notifications_notification", "notifications_delivery", "notifications_attempt", "notifications_event")

#: A version 7 UUID of an instant; the salt tells those of one row apart.
UUID7 = """
CREATE FUNCTION pg_temp.uuid7(at timestamptz, salt text, i bigint) RETURNS uuid LANGUAGE sql STABLE AS $$
  SELECT (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7' || left(md5(salt || i), 3)
          || 'b' || substr(md5(salt || i), 4, 15))::uuid
$$
"""
WORDING = """
INSERT INTO notifications_category (code, name, description, required, defaults, quiet_hours)
  SELECT 'old-' || n, 'Old ' || n, '', false, '{}', 'urgent' FROM generate_series(1, 4) n;
INSERT INTO notifications_template
    (code, category_id, name, description, priority, variables, escalation, digest, still_valid, actions, shipped_hash)
  SELECT 'OLD_' || n, 'old-' || n, 'Old ' || n, '', 2, '{}', '{}', '{}', '', '[]', '' FROM generate_series(1, 4) n;
INSERT INTO notifications_templateversion (template_id, number, origin, created_at, published_at)
  SELECT 'OLD_' || n, 1, 'staff', now(), now() FROM generate_series(1, 4) n;
UPDATE notifications_template t SET live_version_id = v.id
  FROM notifications_templateversion v WHERE v.template_id = t.code AND t.code LIKE 'OLD\\__';
"""
PEOPLE = """
INSERT INTO auth_user
    (username, password, first_name, last_name, email, is_superuser, is_staff, is_active, date_joined)
  SELECT 'reader-' || n, '', 'Reader', 'No. ' || n, 'reader-' || n || '@example.com', false, false, true, now()
  FROM generate_series(0, %s) n
"""
#: Row i; when; whose; what of; and numbers that decide what became of it in the inbox (below 100) and on its way (1000).
ROWS = """
WITH rows AS MATERIALIZED (
  SELECT i, at, person, reader.email, 'OLD_' || kind AS template, 'old-' || kind AS category, version.id AS version, fate, lot,
    CASE lot WHEN 999 THEN 0 ELSE 2 END AS priority,
    pg_temp.uuid7(at, 'n', i) AS notification, pg_temp.uuid7(at, 'e', i) AS event
  FROM (
    SELECT i, %(since)s::timestamptz + i * %(step)s::interval AS at, 1 + i %% 4 AS kind,
      (hashint8(i) & 2147483647) %% 100 AS fate,
      (hashint8(-i) & 2147483647) %% 1000 AS lot,
      %(first)s + CASE WHEN i %% %(share)s = 0 THEN 0 ELSE 1 + i * 48271 %% %(others)s END AS person
    FROM generate_series(%(start)s::bigint, %(end)s::bigint) i
  ) made
  JOIN notifications_templateversion version ON version.template_id = 'OLD_' || kind
  JOIN auth_user reader ON reader.id = person
  ORDER BY i
)
"""
#: 3 of 100 are unseen, 4 seen, 53 read, 36 archived, 1 snoozed, 3 hidden.
NOTIFICATIONS = """,
written AS (
  INSERT INTO notifications_notification
    (id, event_id, recipient_id, template_id, version_id, variant, category_id, about, title, body, action_url,
     action_text, actions, priority, created_at, sort_key, listed_at, seen_at, read_at, archived_at, snoozed_until,
     hidden_at)
  SELECT notification, event, person, template, version, '', category, 'orders.order:' || i,
    'Your order ' || i || ' is on its way', 'Hello! Order ' || i || ' left our house and will be with you in two days. '
    || 'You need not be at home: the parcel goes to the place you have chosen.', '/orders/' || i || '/', 'See the order',
    '[]', priority, at, pg_temp.uuid7(at, 's', i), at,
    CASE WHEN fate >= 3 THEN at + interval '1 hour' END,
    CASE WHEN fate >= 7 THEN at + interval '1 hour' END,
    CASE WHEN fate BETWEEN 60 AND 95 THEN at + interval '1 day' END,
    CASE WHEN fate = 96 THEN now() + interval '30 days' END,
    CASE WHEN fate > 96 THEN at + interval '2 days' END
  FROM rows
)
"""
EVENTS = """,
said AS (
  INSERT INTO notifications_event
    (id, template_id, recipients, variables, priority, action_url, action_text, about, source, created_at, due_at, claims,
     request_hash, state, last_error, finished_at, recipient_count, duplicate_count, unknown_count, planned_count)
  SELECT event, template, jsonb_build_array(person::text), jsonb_build_object('order_number', i), priority, '', '',
    'orders.order:' || i, 'code', at, at, 0, '', CASE lot WHEN 998 THEN 'failed' ELSE 'dispatched' END, '',
    at + interval '50 ms', 1, 0, 0, 2
  FROM rows WHERE i > %(kept)s
)
"""
#: Of 1000 e-mails 4 failed, 1 waits for another month, 3 came too late, 52 were not to be sent.
DELIVERIES = """,
planned AS MATERIALIZED (
  SELECT rows.*, channel, state, reason, pg_temp.uuid7(at, channel, i) AS delivery,
    (channel = 'email' AND state IN ('sent', 'failed'))::int AS tries
  FROM rows CROSS JOIN (VALUES ('in_app'), ('email')) channels (channel)
  JOIN (VALUES
    (0, 0, 'failed', 'rejected'), (1, 3, 'failed', 'retries_exhausted'), (4, 4, 'pending', 'quiet_hours'),
    (5, 6, 'cancelled', 'event_cancelled'), (7, 7, 'expired', 'expired_before_send'),
    (8, 8, 'suppressed', 'frequency_cap'), (9, 59, 'suppressed', 'category_off'), (60, 999, 'sent', '')
  ) ends (first, last, state, reason) ON CASE channel WHEN 'email' THEN lot ELSE 999 END BETWEEN first AND last
),
sent AS (
  INSERT INTO notifications_delivery
    (id, event_id, notification_id, recipient_id, template_id, version_id, category_id, channel, address, priority, state,
     reason, created_at, due_at, claims, attempts, attempts_before, backend, provider_message_id, finished_at, sent_at,
     last_error)
  SELECT delivery, event, notification, person, template, version, category, channel,
    CASE channel WHEN 'email' THEN email ELSE '' END, priority, state, reason, at,
    CASE state WHEN 'pending' THEN now() + interval '30 days' ELSE at END, 0, tries, 0,
    CASE tries WHEN 1 THEN 'EmailChannel' ELSE '' END,
    CASE WHEN tries = 1 AND state = 'sent' THEN delivery || '@example.com' ELSE '' END,
    CASE WHEN state <> 'pending' THEN at + tries * interval '1 second' END,
    CASE state WHEN 'sent' THEN at + tries * interval '1 second' END, ''
  FROM planned ORDER BY i
)
INSERT INTO notifications_attempt (delivery_id, number, backend, started_at, duration, outcome, code, detail)
SELECT delivery, 1, 'EmailChannel', at + interval '1 second', interval '40 ms',
  CASE state WHEN 'sent' THEN 'sent' ELSE 'permanent' END, CASE state WHEN 'sent' THEN '' ELSE '550' END, ''
FROM planned WHERE tries = 1 ORDER BY i
"""


def load_old_rows(database_url: str, notifications: int) -> None:
    """Write that many old notifications, with their deliveries and tries, into a migrated database; analyse it."""
    people = max(notifications // PER_PERSON, 2)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off")
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET maintenance_work_mem = '1GB'")
        connection.execute(UUID7)
        connection.execute(WORDING)
        connection.execute(PEOPLE, [people - 1])
        connection.execute("ANALYZE auth_user, notifications_templateversion")
        with _without_indexes(connection):
            _write(connection, notifications, people)
        for table in TABLES:
            _timed(connection, f"VACUUM (ANALYZE) {table}")


def _write(connection: psycopg.Connection, notifications: int, people: int) -> None:
    first = connection.execute("SELECT id FROM auth_user WHERE username = %s", [BIG]).fetchone()
    since = connection.execute("SELECT now() - make_interval(days => %s)", [DAYS]).fetchone()
    assert first is not None
    assert since is not None
    values = {
        "since": since[0], "step": f"{DAYS * 86400 / (notifications + 1)} seconds", "first": first[0],
        "others": people - 1, "share": BIG_SHARE, "kept": notifications - notifications // EVENT_SHARE,
    }  # fmt: skip
    for start in range(1, notifications + 1, CHUNK):
        end = min(start + CHUNK - 1, notifications)
        began = time.perf_counter()
        connection.execute(ROWS + NOTIFICATIONS + EVENTS + DELIVERIES, {**values, "start": start, "end": end})
        print(f"{end:>12,} notifications, {(end - start + 1) / (time.perf_counter() - began):,.0f}/s", flush=True)


@contextmanager
def _without_indexes(connection: psycopg.Connection) -> Iterator[None]:
    """Drop the indexes that hold no constraint, and make them as they were."""
    found = connection.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index "
        "WHERE indrelid = ANY(%s::regclass[]) AND NOT indisunique",
        [list(TABLES)],
    ).fetchall()
    for name, _ in found:
        connection.execute(sql.SQL("DROP INDEX {}").format(sql.SQL(name)))
    yield
    for _, definition in found:
        _timed(connection, definition)


def _timed(connection: psycopg.Connection, statement: str) -> None:
    began = time.perf_counter()
    connection.execute(sql.SQL(statement))
    print(f"{time.perf_counter() - began:8.1f} s  {statement}", flush=True)


if __name__ == "__main__":
    load_old_rows(os.environ["DATABASE_URL"], int(sys.argv[1]) if sys.argv[1:] else DEFAULT)
