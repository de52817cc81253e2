/** Links that people open: genuine or nothing, and never after they expire. */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { readLink, signLink } from '#lib/runtime/signed-link.ts';
import { NOON } from '#test/builders/incidents.ts';

const KEY = 'a-key-of-many-letters';
const NAMES = ['id', 'step'] as const;
const claims = { id: 'inc_1', step: '1' };
const read = (query: string, now = NOON, key = KEY) =>
  readLink(key, Object.fromEntries(new URLSearchParams(query)), NAMES, now);

it('is read as it was signed, until it expires', () => {
  const link = signLink(KEY, claims, NOON + 1);
  expect(read(link)).toEqual(claims);
  expect(read(link, NOON + 1)).toBeUndefined();
});

it.each([
  ['another id', (link: string) => link.replace('inc_1', 'inc_2')],
  ['a later end', (link: string) => link.replace(/expires=\d+/, `expires=${NOON + 999}`)],
  ['an end that is no number', (link: string) => link.replace(/expires=\d+/, 'expires=x')],
  ['no end', (link: string) => link.replace(/&expires=\d+/, '')],
  ['another signature', (link: string) => link.replace(/signature=.{4}/, 'signature=0000')],
  ['a signature of another kind', (link: string) => link.replace(/signature=.+$/, 'signature=abc')],
  ['no signature', (link: string) => link.replace(/&signature=.+$/, '')],
  ['a claim left out', (link: string) => link.replace('step=1&', '')],
])('with %s is nothing', (_, change) => {
  const link = signLink(KEY, claims, NOON + 1);
  expect(change(link)).not.toBe(link);
  expect(read(change(link))).toBeUndefined();
});

it('signed with another key is nothing', () => {
  expect(read(signLink('another-key-of-letters', claims, NOON + 1))).toBeUndefined();
});

it('is genuine for exactly the claims that were signed, whatever they are', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 40 });
  fc.assert(
    fc.property(text, text, text, text, (id, step, otherId, otherStep) => {
      const link = Object.fromEntries(new URLSearchParams(signLink(KEY, { id, step }, NOON + 1)));
      const same = id === otherId && step === otherStep;
      const found = readLink(KEY, { ...link, id: otherId, step: otherStep }, NAMES, NOON);
      expect(found).toEqual(same ? { id, step } : undefined);
    }),
  );
});
