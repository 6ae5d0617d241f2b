// node producer.js publish COUNT FIRST TEMPLATE PEOPLE | batch COUNT TEMPLATE | pickup SAMPLES TEMPLATE PEOPLE

import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { BATCH, SINGLE, now, redis, tuned } from './common.js';

const CHUNK = 50;
const ADD_BULK = 500;
const variables = JSON.parse(process.env.VARIABLES);

// As in the original design: three attempts, a day of what is done, a week of what failed.
const options = {
  attempts: 3,
  backoff: { type: 'exponential', delay: 2000 },
  removeOnComplete: { age: 24 * 3600 },
  removeOnFail: { age: 7 * 24 * 3600 },
};
const singles = new Queue(SINGLE, { connection: redis, defaultJobOptions: options });
const batches = new Queue(BATCH, { connection: redis, defaultJobOptions: options });

async function publish(count, first, template, people) {
  console.log(now());
  for (let number = first; number < first + count; number++) {
    await singles.add('send-notification', { person: (number % people) + 1, template, variables });
  }
}

async function batch(count, template) {
  console.log(now());
  const jobs = [];
  for (let start = 1; start <= count; start += CHUNK) {
    const people = Array.from({ length: Math.min(CHUNK, count - start + 1) }, (_, index) => start + index);
    jobs.push({ name: 'batch-notification', data: { people, template, variables } });
  }
  if (tuned) {
    for (let start = 0; start < jobs.length; start += ADD_BULK) {
      await batches.addBulk(jobs.slice(start, start + ADD_BULK));
    }
  } else {
    for (const { name, data } of jobs) await batches.add(name, data);
  }
}

async function pickup(samples, template, people) {
  const returned = [];
  for (let sample = 0; sample < samples; sample++) {
    await setTimeout(50 + 100 * Math.random());
    await singles.add('send-notification', { person: (sample % people) + 1, template, variables, sample });
    returned.push(now());
  }
  console.log(JSON.stringify(returned));
}

const [command, ...given] = process.argv.slice(2);
if (command === 'publish') {
  await singles.waitUntilReady();
  console.log('ready');
  await once(process.stdin, 'data');
  process.stdin.pause();
  await publish(Number(given[0]), Number(given[1]), given[2], Number(given[3]));
} else if (command === 'batch') await batch(Number(given[0]), given[1]);
else if (command === 'pickup') await pickup(Number(given[0]), given[1], Number(given[2]));
else throw new Error(`No such command: ${command}`);
await singles.close();
await batches.close();
redis.disconnect();
