"""
Publishes by one message a notification.

    python -m benchmarks.peers.project.producer celery|dramatiq publish|batch|pickup …
"""

from __future__ import annotations

import importlib
import json
import random
import sys
import time
from typing import TYPE_CHECKING, Any

from benchmarks.work import VARIABLES

if TYPE_CHECKING:
    from collections.abc import Callable

#: Of each worker module, what its task calls enqueueing.
ENQUEUE = {"celery": "delay", "dramatiq": "send"}


def publish(enqueue: Callable[..., Any], count: int, first: int, template: str, people: int) -> None:
    print(time.time(), flush=True)
    for number in range(first, first + count):
        enqueue(number % people + 1, template, VARIABLES)


def pickup(enqueue: Callable[..., Any], samples: int, template: str, people: int) -> None:
    returned = []
    for sample in range(samples):
        time.sleep(random.uniform(0.05, 0.15))  # noqa: S311
        enqueue(sample % people + 1, template, VARIABLES, sample)
        returned.append(time.time())
    print(json.dumps(returned))


def main(framework: str, command: str, *given: str) -> None:
    task = importlib.import_module(f"benchmarks.peers.project.{framework}_worker").task
    enqueue = getattr(task, ENQUEUE[framework])
    match command, given:
        case "publish", (count, first, template, people):
            print("ready", flush=True)
            sys.stdin.readline()
            publish(enqueue, int(count), int(first), template, int(people))
        case "batch", (count, template):
            # The usual way: everybody in turn.
            publish(enqueue, int(count), 0, template, int(count))
        case "pickup", (samples, template, people):
            pickup(enqueue, int(samples), template, int(people))
        case _:
            raise SystemExit(f"No such command: {command}")


if __name__ == "__main__":
    main(*sys.argv[1:])
