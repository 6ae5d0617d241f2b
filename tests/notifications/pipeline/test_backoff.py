"""When to try again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from notifications.pipeline.backoff import next_retry_at

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("attempt", "retry_after", "seconds"),
    [(1, None, 2), (2, None, 4), (3, None, 8), (1, 1, 2), (1, 7, 7), (2, 99_999_999, 3600), (1, -5, 2)],
)
def test_the_next_try_is_exact_and_honours_the_provider(attempt, retry_after, seconds):
    given = None if retry_after is None else timedelta(seconds=retry_after)

    assert next_retry_at(attempt, NOW, delays=(2, 4, 8), retry_after=given) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize("attempt", [4, 5, 100])
def test_after_the_last_delay_there_is_no_further_try(attempt):
    assert next_retry_at(attempt, NOW, delays=(2, 4, 8), retry_after=timedelta(seconds=5)) is None


TAIL = (60, 600, 3600, 21_600)


@pytest.mark.parametrize(
    ("attempt", "spread", "seconds"),
    [
        (3, 1, 8),
        (4, 0, 60),
        (4, 1, 72),
        (4, -1, 48),
        (5, 0, 600),
        (7, 0, 21_600),
        (7, 1, 25_920),
    ],
)
def test_after_the_exact_retries_comes_the_tail_give_or_take_a_fifth(attempt, spread, seconds):
    due_at = next_retry_at(attempt, NOW, delays=(2, 4, 8), tail=TAIL, spread=spread)

    assert due_at == NOW + timedelta(seconds=seconds)


def test_after_the_tail_there_is_no_further_try():
    assert next_retry_at(8, NOW, delays=(2, 4, 8), tail=TAIL, spread=1) is None
