"""What has to hold of a peer before its figure is worth printing."""

from __future__ import annotations

import os

import pytest

from benchmarks.contestant import Void
from benchmarks.databases import create_database
from benchmarks.peers.bullmq import BullMQ
from benchmarks.peers.contestants import PEERS
from benchmarks.peers.peer import with_database
from benchmarks.peers.rows import Rows, expected_rows

URLS = {"database_url": "postgres://postgres@/postgres?host=/run", "redis_url": "unix:///run/redis.sock?db=0"}


def test_without_node_its_peer_says_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))

    assert BullMQ(**URLS, folder=tmp_path).missing() == "There is no node and no npm on PATH."


def test_peers_share_neither_a_name_nor_a_database(tmp_path):
    peers = [peer(**URLS, folder=tmp_path) for peer in PEERS]

    for facts in ([p.name for p in peers], [p.database for p in peers], [p.redis_url for p in peers]):
        assert len(set(facts)) == len(PEERS)
    assert URLS["redis_url"] not in [p.redis_url for p in peers]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("unix:///run/redis.sock?db=0", "unix:///run/redis.sock?db=3"),
        ("redis://localhost:6379/0", "redis://localhost:6379/3"),
    ],
    ids=["socket", "network"],
)
def test_another_redis_database_of_the_same_server(url, expected):
    assert with_database(url, 3) == expected


@pytest.mark.parametrize(
    ("count", "people", "recipients", "fewest", "most"),
    [(3, 10, 3, 1, 1), (10, 10, 10, 1, 1), (25, 10, 10, 2, 3)],
    ids=["some", "everybody", "in turn"],
)
def test_each_is_told_as_often_as_published(count, people, recipients, fewest, most):
    rows = expected_rows(count, people)

    assert (rows["recipients"], rows["fewest"], rows["most"]) == (recipients, fewest, most)
    assert rows["sent"] == rows["deliveries"] == 2 * rows["notifications"] == 2 * count


WRITE = """WITH one AS (INSERT INTO notification (recipient, template, title, body, created_at)
    SELECT %s, 1, '', '', now() RETURNING id)
    INSERT INTO delivery (notification, channel, state, created_at)
    SELECT id, channel, 'sent', now() FROM one, unnest(ARRAY['in_app', 'email']) AS channel"""


@pytest.mark.integration
@pytest.mark.parametrize(
    "wrong",
    [
        "DELETE FROM delivery WHERE id = 1",
        "UPDATE delivery SET state = 'pending' WHERE id = 1",
        "UPDATE delivery SET channel = 'email' WHERE id = 1",
        "UPDATE notification SET recipient = 2 WHERE id = 1",
        "UPDATE notification SET body = '{{total}}' WHERE id = 1",
    ],
    ids=["lost", "unsent", "doubled", "told twice", "not rendered"],
)
def test_a_wrong_row_voids_the_run(wrong):
    rows = Rows(create_database(os.environ["DATABASE_URL"], "peers_test"))
    rows.fill(people=3)
    for person in (1, 2, 3):
        rows._connection.execute(WRITE, (person,))
    rows.check(3, people=3)

    rows._connection.execute(wrong)

    with pytest.raises(Void, match=r"Expected .*, found"):
        rows.check(3, people=3)
    rows.close()
