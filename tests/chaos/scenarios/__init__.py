"""Every scenario, in the order in which they are played."""

from __future__ import annotations

from tests.chaos.scenarios import broadcasts, broker, database, fairness, provider, publishing, workers

ALL = (
    workers.workers_killed,
    broker.redis_flushed,
    broker.redis_restarted_and_stalled,
    broker.broker_not_there,
    broker.no_broker_at_all,
    database.postgres_restarted,
    provider.crash_after_acceptance,
    workers.worker_stopped_past_its_lease,
    provider.poison_row,
    provider.poison_wording,
    fairness.slow_channel,
    fairness.urgent_in_bulk,
    fairness.cancelled_half_way,
    publishing.one_key_many_threads,
    broker.broker_unreachable,
    workers.workers_replaced,
    provider.provider_errors,
    provider.provider_locks_us_out,
    fairness.rate_held,
    broadcasts.expander_killed,
    workers.several_clocks,
    workers.clocks_apart,
    database.sqlite_killed,
    broker.rabbitmq_killed,
)
BY_NAME = {scenario.name: scenario for scenario in ALL}
