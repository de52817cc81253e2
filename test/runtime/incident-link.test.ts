/** Links for reading: they open one incident, for some days, and nothing else. */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { makeIncidentLink, mayReadIncident } from '#lib/runtime/incident-link.ts';
import { readLink, signLink } from '#lib/runtime/signed-link.ts';
import { NOON } from '#test/builders/incidents.ts';

const KEY = 'a-key-of-many-letters';
const DAY = 86_400_000;
const ID = 'inc_0123456789abcdef01234567';
const where = { publicBaseUrl: 'https://remedia.test/prod', validDays: 7 };
const linkTo = makeIncidentLink({ ...where, key: KEY });
const queryOf = (link: string): Record<string, string> => Object.fromEntries(new URL(link).searchParams);

it('opens its incident until it expires', () => {
  const link = linkTo(ID, NOON);

  expect(link).toMatch(
    /^https:\/\/remedia\.test\/prod\/api\/v1\/incidents\/inc_0123456789abcdef01234567\?expires=\d+&signature=[0-9a-f]{64}$/,
  );
  expect(mayReadIncident(KEY, ID, queryOf(link), NOON + 7 * DAY - 1)).toBe(true);
  expect(mayReadIncident(KEY, ID, queryOf(link), NOON + 7 * DAY)).toBe(false);
});

it('is plain without a key, and then opens nothing', () => {
  const link = makeIncidentLink({ ...where, key: undefined })(ID, NOON);

  expect(link).toBe(`https://remedia.test/prod/api/v1/incidents/${ID}`);
  expect(mayReadIncident(undefined, ID, queryOf(linkTo(ID, NOON)), NOON)).toBe(false);
});

it('fits the 255 characters of a tag in Zabbix at an address as long as AWS makes them', () => {
  const publicBaseUrl = 'https://abcdefghij.execute-api.ap-northeast-1.amazonaws.com.cn/production';

  expect(makeIncidentLink({ publicBaseUrl, key: KEY, validDays: 3650 })(ID, NOON).length).toBeLessThan(255);
});

it.each([
  ['another incident', (query: Record<string, string>) => query, 'inc_0123456789abcdef01234568'],
  ['a simulated incident', (query: Record<string, string>) => query, ID.replace('inc_', 'sim_')],
  ['a later end', (query: Record<string, string>) => ({ ...query, expires: String(NOON + 99 * DAY) }), ID],
  ['another signature', (query: Record<string, string>) => ({ ...query, signature: 'ab'.repeat(32) }), ID],
  ['no signature', ({ expires = '' }: Record<string, string>) => ({ expires }), ID],
])('does not open %s', (_, change, id) => {
  expect(mayReadIncident(KEY, id, change(queryOf(linkTo(ID, NOON))), NOON)).toBe(false);
});

it('and the link of an approval cannot stand for each other, though one key signed both', () => {
  const proposal = 'ab'.repeat(32);
  const approval = Object.fromEntries(
    new URLSearchParams(signLink(KEY, { id: ID, step: '1', proposal }, NOON + DAY)),
  );
  expect(mayReadIncident(KEY, ID, approval, NOON)).toBe(false);
  const text = fc.string({ maxLength: 70 });
  fc.assert(
    fc.property(text, text, text, (step, hash, purpose) => {
      const query = { ...queryOf(linkTo(ID, NOON)), id: ID, step, proposal: hash, purpose };
      expect(readLink(KEY, query, ['id', 'step', 'proposal'], NOON)).toBeUndefined();
    }),
  );
});
