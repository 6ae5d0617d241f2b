"""Redis comes and goes; what was committed is delivered."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from notifications.models import Delivery, Event
from notifications.types import DeliveryState
from tests.integration.processes import ROOT, output
from tests.servers import RedisServer, find_redis

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

#: Publishes as a web process would, and prints the seconds each publication took.
PUBLISHER = """
import json, sys, time
import django
django.setup()
from notifications.publishing import publish_notification
took = []
for number in range(int(sys.argv[2])):
    started = time.monotonic()
    publish_notification(
        "ORDER_DELIVERED", recipient=sys.argv[1], variables={"order_number": f"ORD-{number}"}, channels=["email"]
    )
    took.append(time.monotonic() - started)
print(json.dumps(took))
"""


@pytest.fixture
def own_redis(tmp_path_factory):
    """A Redis of this test's own, to stop and start."""
    import shutil
    import tempfile
    from pathlib import Path

    folder = Path(tempfile.mkdtemp(prefix="redis-"))
    server = RedisServer(find_redis(), folder)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder)


def publish(environment, user, number):
    command = [sys.executable, "-c", PUBLISHER, str(user.pk), str(number)]
    ended = subprocess.run(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
    )
    return json.loads(ended.stdout)


def test_with_redis_stopped_publishing_succeeds_and_everything_arrives(alice, outside, worker, own_redis, eventually):
    outside.environment["REDIS_URL"] = own_redis.url
    worker()
    publish(outside.environment, alice, 5)
    eventually(lambda: len(outside.mailbox.messages) == 5)

    own_redis.stop()
    took = publish(outside.environment, alice, 50)

    assert Event.objects.count() == 55
    # Nobody waited for a connection to be refused or to time out.
    assert sorted(took)[len(took) // 2] < 0.3
    own_redis.start()
    eventually(lambda: Delivery.objects.filter(state=DeliveryState.SENT).count() == 55, seconds=60)
    assert len(outside.mailbox.messages) == 55


def test_a_wake_up_lost_with_redis_is_made_up_for_by_the_clock(alice, outside, worker, own_redis, eventually):
    outside.environment["REDIS_URL"] = own_redis.url
    publish(outside.environment, alice, 20)
    own_redis.restart()

    worker()

    eventually(lambda: Delivery.objects.filter(state=DeliveryState.SENT).count() == 20)
    assert len(outside.mailbox.messages) == 20


def test_without_any_broker_a_worker_delivers_what_others_published(alice, outside, worker, eventually):
    outside.environment.pop("REDIS_URL")
    worker()

    publish(outside.environment, alice, 10)

    eventually(lambda: Delivery.objects.filter(state=DeliveryState.SENT).count() == 10)
    assert len(outside.mailbox.messages) == 10


def test_with_a_broker_nobody_answers_at_the_clock_delivers(alice, outside, worker, eventually):
    outside.environment["REDIS_URL"] = "redis://127.0.0.1:1"
    worker()

    publish(outside.environment, alice, 10)

    eventually(lambda: Delivery.objects.filter(state=DeliveryState.SENT).count() == 10)
    assert len(outside.mailbox.messages) == 10


def test_a_worker_whose_consumer_died_ends_with_a_code_that_says_so(outside, worker):
    process = worker(DJANGO_SETTINGS_MODULE="tests.integration.dying_settings")

    assert process.wait(30) != 0

    assert "worker broken, ending the process fault='consumer of deliver_sms'" in output(process)
