"""Ids sort by time and never repeat, over threads and forks."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import RFC_4122, UUID, uuid4

import time_machine

from notifications import ids
from notifications.ids import uuid7, uuid7_at


def test_an_id_is_a_uuid_of_version_7_with_the_time_in_front():
    before = time.time_ns() // 1_000_000

    made = uuid7()

    assert isinstance(made, UUID)
    assert made.version == 7
    assert made.variant == uuid4().variant
    assert before <= made.int >> 80 <= time.time_ns() // 1_000_000


def test_ids_made_one_after_the_other_sort_that_way():
    made = []
    for _ in range(50):
        made.append(uuid7())
        time.sleep(0.00001)

    assert made == sorted(made)


def test_the_smallest_id_of_an_instant_parts_what_was_made_before_from_what_was_made_after():
    instant = datetime(2026, 3, 1, 12, 0, 0, 123_457, tzinfo=UTC)
    with time_machine.travel(instant - timedelta(microseconds=1), tick=False):
        before = uuid7()
    with time_machine.travel(instant, tick=False):
        after = uuid7()

    assert before < uuid7_at(instant) <= after
    assert uuid7_at(instant).version == 7
    assert uuid7_at(instant).variant == uuid4().variant
    assert uuid7_at(datetime(1960, 1, 1, tzinfo=UTC)) == uuid7_at(datetime(1970, 1, 1, tzinfo=UTC))


def test_threads_never_make_the_same_id():
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: uuid7(), range(20_000)))

    assert len(set(made)) == len(made)


def test_a_forked_child_does_not_repeat_its_parents_random_bits():
    uuid7()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, (uuid7().int & (2**62 - 1)).to_bytes(8))
        os._exit(0)
    os.waitpid(child, 0)

    theirs = int.from_bytes(os.read(read, 8))
    os.close(read)
    os.close(write)

    assert theirs != uuid7().int & (2**62 - 1)


def test_a_dated_id_goes_by_its_time_and_is_always_the_same_for_its_name():
    early, late = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)
    names = [uuid4() for _ in range(50)]

    dated = [ids.dated(name, early) for name in names]

    assert dated == [ids.dated(name, early) for name in names]
    assert len(set(dated)) == 50
    assert {(found.version, found.variant) for found in dated} == {(7, RFC_4122)}
    assert all(ids.made_at(found) == early for found in dated)
    assert max(dated) < min(ids.dated(name, late) for name in names)
