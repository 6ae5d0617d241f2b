// The same with what a good team would tune: prepared statements, and one transaction.

import { render, send } from './common.js';

const TEMPLATE = { name: 'template', text: 'SELECT * FROM template WHERE code = $1' };
const PREFERENCES = {
  name: 'preferences',
  text: `SELECT s.name, s.email, p.channel, p.enabled FROM person_settings s
         LEFT JOIN preference p ON p.person = s.person AND p.category = $2 WHERE s.person = $1`,
};
const NOTIFICATION = {
  name: 'notification',
  text: `INSERT INTO notification (recipient, template, title, body, created_at)
         VALUES ($1, $2, $3, $4, now()) RETURNING id`,
};
const DELIVERIES = {
  name: 'deliveries',
  text: `INSERT INTO delivery (notification, channel, state, created_at)
         SELECT $1, unnest($2::text[]), 'pending', now() RETURNING id`,
};
const SENT = {
  name: 'sent',
  text: `UPDATE delivery SET state = 'sent', sent_at = now() WHERE id = ANY($1::bigint[])`,
};

export async function notify(pool, job) {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await write(client, job);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
}

async function write(client, { person, template: code, variables }) {
  const template = (await client.query(TEMPLATE, [code])).rows[0];
  const { rows: preferences } = await client.query(PREFERENCES, [person, template.category]);
  const words = { recipient_name: preferences[0].name, ...variables };
  const title = render(template.subject, words);
  const body = render(template.body, words);
  const { rows: [notification] } = await client.query(NOTIFICATION, [person, template.id, title, body]);
  const off = new Set(preferences.filter((row) => !row.enabled).map((row) => row.channel));
  const channels = ['in_app', 'email'].filter((channel) => !off.has(channel));
  const { rows: deliveries } = await client.query(DELIVERIES, [notification.id, channels]);
  await Promise.all(channels.map((channel) => send(channel, preferences[0].email, title, body)));
  await client.query(SENT, [deliveries.map((row) => row.id)]);
}
