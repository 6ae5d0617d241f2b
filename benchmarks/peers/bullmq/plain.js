// One notification as the original design writes it: statement by statement, no transaction. Both deliveries go by one
// statement, which is kinder to it than one for each.

import { render, send } from './common.js';

export async function notify(pool, { person, template: code, variables }) {
  const template = (await pool.query('SELECT * FROM template WHERE code = $1', [code])).rows[0];
  const { rows: preferences } = await pool.query(
    `SELECT s.name, s.email, p.channel, p.enabled FROM person_settings s
     LEFT JOIN preference p ON p.person = s.person AND p.category = $2 WHERE s.person = $1`,
    [person, template.category],
  );
  const words = { recipient_name: preferences[0].name, ...variables };
  const title = render(template.subject, words);
  const body = render(template.body, words);
  const { rows: [notification] } = await pool.query(
    `INSERT INTO notification (recipient, template, title, body, created_at)
     VALUES ($1, $2, $3, $4, now()) RETURNING id`,
    [person, template.id, title, body],
  );
  const off = new Set(preferences.filter((row) => !row.enabled).map((row) => row.channel));
  const channels = ['in_app', 'email'].filter((channel) => !off.has(channel));
  const { rows: deliveries } = await pool.query(
    `INSERT INTO delivery (notification, channel, state, created_at)
     SELECT $1, unnest($2::text[]), 'pending', now() RETURNING id`,
    [notification.id, channels],
  );
  await Promise.all(channels.map((channel) => send(channel, preferences[0].email, title, body)));
  await pool.query(
    `UPDATE delivery SET state = 'sent', sent_at = now() WHERE id = ANY($1::bigint[])`,
    [deliveries.map((row) => row.id)],
  );
}
