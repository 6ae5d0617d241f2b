// What worker and producer share. Where the servers are comes from the environment; PGHOST and the like are read by pg.

import Redis from 'ioredis';

export const SINGLE = 'notifications';
export const BATCH = 'batches';
export const READY = 'bench:ready';
export const PICKUPS = 'bench:pickups';

export const tuned = process.env.TUNED === '1';

export const redis = new Redis({
  ...JSON.parse(process.env.REDIS_OPTIONS),
  maxRetriesPerRequest: null, // BullMQ insists
});

// Seconds, on the clock that all processes of this machine share.
export const now = () => (performance.timeOrigin + performance.now()) / 1000;

export const render = (text, variables) => text.replace(/{{(\w+)}}/g, (_, name) => variables[name] ?? '');

// The provider takes everything at once.
export const send = async () => {};
