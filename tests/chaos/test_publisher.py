"""A publisher that cannot publish says so, or a run of nothing would pass."""

from __future__ import annotations

import pytest

from tests.chaos.people import OUTSIDE
from tests.chaos.publications import Publication
from tests.chaos.publisher import Publisher


class Broken(Publisher):
    def _publish_one(self, publication):
        raise NameError(publication)


@pytest.mark.parametrize("threads", [1, 3])
def test_what_is_no_refusal_ends_the_publisher(tmp_path, threads):
    publisher = Broken(tmp_path / "results.jsonl", rate=0, patience=0, threads=threads)

    with pytest.raises(NameError):
        publisher.publish([Publication(numbers=(number,), channels=OUTSIDE) for number in range(1, 7)])
