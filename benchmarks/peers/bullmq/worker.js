// One worker process: singles ten at once, batches five at once in chunks of 50, as in the original design.
// Its limiter of 100 jobs a second is left out: it would be all there is to measure.

import { Worker } from 'bullmq';
import pg from 'pg';
import { BATCH, PICKUPS, READY, SINGLE, now, redis, tuned } from './common.js';
import * as plainWay from './plain.js';
import * as tunedWay from './tuned.js';

const { notify } = tuned ? tunedWay : plainWay;
const pool = new pg.Pool({ max: 10 });

async function single({ data }) {
  if (data.sample !== undefined) await redis.hset(PICKUPS, data.sample, now());
  await notify(pool, data);
}

async function batch({ data: { people, template, variables } }) {
  // One failure does not stop the others.
  await Promise.allSettled(people.map((person) => notify(pool, { person, template, variables })));
}

const workers = [
  new Worker(SINGLE, single, { connection: redis, concurrency: 10 }),
  new Worker(BATCH, batch, { connection: redis, concurrency: 5 }),
];
workers.forEach((worker) => worker.on('failed', (job, error) => console.error(job?.id, error)));
await Promise.all(workers.map((worker) => worker.waitUntilReady()));
await pool.query('SELECT 1');
await redis.incr(READY);

process.on('SIGTERM', async () => {
  await Promise.all(workers.map((worker) => worker.close()));
  await pool.end();
  process.exit(0);
});
