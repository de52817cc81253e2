/** The worked examples of the prompt are no cases: an alert that the model has been shown is none to judge it by. */
import { expect, it } from 'vitest';
import { EXAMPLES } from '#lib/core/brief.ts';
import { type EvalCase, GATE_FILES, readCases, triggerOf } from './cases.ts';

interface Words {
  readonly name: string;
  readonly words: ReadonlySet<string>;
}

/** What a name says besides its values and what it is about: the words of key and tags that name things are left out. */
function wordsOf(each: EvalCase): Words {
  const about = each.tags.filter(({ tag }) => !['class', 'scope', 'component'].includes(tag));
  const things = [each.item_key, ...about.map(({ value }) => value)].join(' ').toLowerCase();
  const named = things.split(/[^\p{L}]+/u);
  const words = triggerOf(each)
    .split(' ')
    .filter((word) => word !== '' && !named.includes(word));
  return { name: each.name, words: new Set(words) };
}

function likeness(one: Words, other: Words): number {
  const shared = [...one.words].filter((word) => other.words.has(word)).length;
  return shared / Math.max(1, one.words.size + other.words.size - shared);
}

const [anyCase, ...more] = GATE_FILES.flatMap(readCases);
if (anyCase === undefined) throw new Error('no cases');
const cases = [anyCase, ...more].map(wordsOf);
const asCase = (name: string, key: string, tags: string): Words => {
  const { injection: _, trigger_name: __, ...rest } = anyCase;
  const pairs = tags.split(', ').map((pair) => pair.split('='));
  return wordsOf({
    ...rest,
    name,
    item_key: key,
    tags: pairs.map(([tag = '', value = '']) => ({ tag, value })),
  });
};
const line = (text: string, name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(text)?.[1] ?? '';
const examples = EXAMPLES.filter(({ role }) => role === 'user').map(({ content }) =>
  asCase(line(content, 'trigger'), line(content, 'item key'), line(content, 'tags')),
);
/** More than half of all their words, the names of things left out. */
const twinsOf = (example: Words) =>
  cases.filter((each) => likeness(example, each) > 0.5).map(({ name }) => name);

it.each(examples)('"$name" is no case, and no near twin of one', (example) => {
  expect(example.words.size).toBeGreaterThan(2);
  expect(twinsOf(example)).toEqual([]);
});

it.each([
  [
    'Docker: Container /shop: Health state container is unhealthy',
    'docker.container_info.state.health["/shop"]',
    'container=/shop',
  ],
  [
    'Systemd: rsyslog.service: Service is not running',
    'systemd.service.active_state["rsyslog.service"]',
    'target=systemd',
  ],
  ['Linux: Load average is too high', 'system.cpu.load[all,avg1]', 'target=linux'],
])('"%s" would be told', (name, key, tags) => {
  expect(twinsOf(asCase(name, key, tags))).not.toEqual([]);
});
