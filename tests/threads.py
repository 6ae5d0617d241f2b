"""Things that happen at the same instant."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from django.db import connections

if TYPE_CHECKING:
    from collections.abc import Callable


def at_once(*works: Callable[[], object]) -> None:
    """Do each in a thread of its own, all starting together; raise the first error of any."""
    together = threading.Barrier(len(works))
    errors: list[Exception] = []

    def run(work: Callable[[], object]) -> None:
        try:
            together.wait()
            work()
        except Exception as e:  # noqa: BLE001 - a thread's error would be lost
            errors.append(e)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
