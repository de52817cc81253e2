/** What a Zabbix webhook may post, and what every other post is answered. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAlert, readAbout, wireAlertSchema } from '#lib/core/parse-alert.ts';
import { capturedPosts, fullProblem, spoilt } from '#test/builders/zabbix-posts.ts';

const arrival = { source: 'zabbix', receivedAt: 1_772_366_400_000 };
const fields = Object.keys(wireAlertSchema.shape);
const required = ['event_id', 'event_value', 'event_name', 'event_nseverity', 'host_host', 'trigger_id'];
/** Documented, and never looked at. */
const unused = ['event_timestamp', 'event_date', 'event_time', 'subject', 'message'];

const alertOf = (post: unknown) => {
  const parsed = parseAlert(post, arrival);
  return parsed.kind === 'alert' ? parsed.alert : undefined;
};
const badFields = (post: unknown) => {
  const parsed = parseAlert(post, arrival);
  return parsed.kind === 'invalid' ? parsed.problems.map(({ field }) => field) : [];
};

describe('what a real Zabbix sent', () => {
  it.each(capturedPosts)('$name is an alert', ({ post }) => {
    const alert = alertOf(post);

    expect(alert).toMatchObject({
      formatVersion: 1,
      source: 'zabbix',
      kind: post['event_value'] === '1' ? 'problem' : 'recovery',
      eventId: post['event_id'],
      eventName: 'FS [/]: Space is critically low (used > 90%)',
      severity: 4,
      hostGroups: [],
      host: { host: 'web-01', name: 'web-01.example.com', id: post['host_id'], ip: '192.0.2.10' },
      item: { key: 'vfs.fs.pused' },
      receivedAt: arrival.receivedAt,
    });
    expect(alert?.tags).toContainEqual({ tag: 'filesystem', value: '/' });
  });

  it('takes every field of the media type, and what is unresolved is absent', () => {
    const alert = alertOf(fullProblem);

    expect(alert).toMatchObject({
      source: 'zabbix-main',
      hostGroups: ['Linux servers', 'Web servers'],
      trigger: {
        id: '25212',
        name: 'FS [/]: Space is critically low',
        nameOrig: 'FS [{#FSNAME}]: Space is critically low',
      },
      item: { id: '48211', key: 'vfs.fs.dependent.size[/,pused]', value: '97.5' },
    });
    expect(alert).not.toHaveProperty('recoveryEventId');
  });

  it('keeps the id of the recovery', () => {
    const alert = alertOf({ ...fullProblem, event_value: '0', event_recovery_id: '77' });

    expect(alert).toMatchObject({ kind: 'recovery', recoveryEventId: '77' });
  });

  it.each(['0', '1'])('an update with event value %s is an update', (event_value) => {
    expect(alertOf({ ...fullProblem, event_value, event_update_status: '1' })?.kind).toBe('update');
  });
});

describe('unresolved macros', () => {
  it.each([
    '*UNKNOWN*',
    '{EVENT.OPDATA}',
    '{$UNDEFINED}',
    '{$UNDEFINED:"of a context"}',
    '{{EVENT.OPDATA}.regsub("^([\\s\\S]{0,1000})","\\1")}',
    '',
  ])('%j is absent', (event_opdata) => {
    expect(alertOf({ ...fullProblem, event_opdata })).not.toHaveProperty('opdata');
  });

  it.each(['{"a": 1}', 'used {of} 3', '{}', 'UNKNOWN'])('%j is a value', (event_opdata) => {
    expect(alertOf({ ...fullProblem, event_opdata })).toHaveProperty('opdata', event_opdata);
  });

  it('the key with unexpanded macros is preferred, and the other one serves without it', () => {
    const { item_key_orig: _gone, ...older } = fullProblem;

    expect(alertOf(older)?.item.key).toBe('vfs.fs.pused');
    expect(alertOf({ ...fullProblem, item_key_orig: '*UNKNOWN*' })?.item.key).toBe('vfs.fs.pused');
  });
});

describe('a test post', () => {
  it.each([{ ...fullProblem, event_id: '{EVENT.ID}' }, { event_id: '{EVENT.ID}' }])(
    'is told apart',
    (post) => {
      expect(parseAlert(post, arrival)).toEqual({ kind: 'test' });
    },
  );

  it('is nothing that only looks like it', () => {
    expect(badFields({ ...fullProblem, event_id: '{EVENT.ID} 4711' })).toEqual(['event_id']);
  });
});

describe('an event that no trigger made', () => {
  it.each(['1', '2', '3', '4'])('of source %s is told apart, whatever else it lacks', (event_source) => {
    const parsed = parseAlert({ event_source, event_id: '9', host_host: '{HOST.HOST}' }, arrival);

    expect(parsed).toEqual({ kind: 'not_a_trigger_event', eventSource: event_source });
  });
});

describe('a bad post', () => {
  it.each([null, undefined, 'text', 7, true, [], [fullProblem]])('%j is no alert', (body) => {
    expect(parseAlert(body, arrival)).toEqual({
      kind: 'invalid',
      problems: [{ field: '', expected: 'a JSON object with the fields of an alert' }],
      about: {},
    });
  });

  it('has every bad field named at once, with what was expected', () => {
    const { trigger_id: _gone, ...rest } = fullProblem;
    const post = {
      ...rest,
      event_id: 5,
      event_value: '2',
      event_tags: '[',
      host_host: 'a,b',
      host_groups: 3,
    };

    const parsed = parseAlert(post, arrival);

    expect(parsed).toEqual({
      kind: 'invalid',
      problems: [
        { field: 'event_id', expected: 'a string of 1 to 20 digits' },
        { field: 'event_value', expected: '"1" for a problem or "0" for a recovery' },
        { field: 'event_tags', expected: expect.stringContaining('JSON inside a string') },
        { field: 'host_host', expected: expect.stringContaining('a host name') },
        { field: 'host_groups', expected: expect.stringContaining('names') },
        { field: 'trigger_id', expected: 'a string of 1 to 20 digits' },
      ],
      about: { host: 'a,b', eventName: fullProblem['event_name'] },
    });
  });

  it('with nothing in it lists what is required', () => {
    expect(badFields({})).toEqual(required);
  });

  it('lets a human find its event', () => {
    const post = { event_id: '5', host_host: 'web-01\u0000', event_name: `${'n'.repeat(500)}` };

    expect(readAbout(post)).toEqual({ eventId: '5', host: 'web-01', eventName: `${'n'.repeat(199)}…` });
  });
});

describe('one field', () => {
  const cases = fields.flatMap((field) => spoilt.map(({ how, spoil }) => ({ field, how, spoil })));

  it.each(cases)('$field $how: an alert, or this very field is named', ({ field, spoil }) => {
    const parsed = parseAlert(spoil(fullProblem, field), arrival);

    if (parsed.kind === 'invalid') {
      expect(parsed.problems.map((each) => each.field)).toEqual([field]);
      expect(parsed.problems[0]?.expected).toMatch(/\w/);
    } else {
      expect(parsed.kind).toBe('alert');
    }
  });

  it.each(required)('%s cannot be missing, empty or unresolved', (field) => {
    for (const value of [undefined, '', '*UNKNOWN*', '{SOME.MACRO}', null, 5, {}])
      expect(badFields({ ...fullProblem, [field]: value })).toEqual([field]);
  });

  it.each(fields.filter((each) => !required.includes(each) && !unused.includes(each)))(
    '%s may be absent, but not of another type',
    (field) => {
      for (const value of [undefined, '', '*UNKNOWN*', '{SOME.MACRO}'])
        expect(badFields({ ...fullProblem, [field]: value })).toEqual([]);
      for (const value of [null, 5, {}, ['0']])
        expect(badFields({ ...fullProblem, [field]: value })).toEqual([field]);
    },
  );

  it.each(unused)('%s is never looked at', (field) => {
    for (const value of [undefined, null, 5, {}, ''])
      expect(badFields({ ...fullProblem, [field]: value })).toEqual([]);
  });
});

describe('a host', () => {
  it.each(['web-01', 'web.01.example.com', 'db_1', 'Zabbix server', 'x', 'x'.repeat(128)])(
    '%j is one',
    (host_host) => {
      expect(alertOf({ ...fullProblem, host_host })?.host.host).toBe(host_host);
    },
  );

  it.each([
    ...[
      '',
      ' web',
      'web ',
      'web,db',
      'web|db',
      '.*,',
      'web*',
      'web/01',
      'web:01',
      'a"b',
      "a'b",
      '(a)',
      '[a]',
      '{a}',
    ],
    ...[
      'web\n',
      'web\t01',
      'web\u0000',
      '!web',
      'wéb',
      'web\u00a001',
      '$web',
      '^web',
      'a\\b',
      'a+b',
      'x'.repeat(129),
    ],
  ])('%j is none', (host_host) => {
    expect(badFields({ ...fullProblem, host_host })).toEqual(['host_host']);
  });
});

describe('identifiers', () => {
  it.each(['event_id', 'trigger_id'])('%s is digits', (field) => {
    for (const value of ['-1', '1e3', ' 1', '1\n', '١', '0x1', '9'.repeat(21), '__proto__'])
      expect(badFields({ ...fullProblem, [field]: value })).toEqual([field]);
  });

  it.each(['a\u0000b', 'vfs.fs.size[/\n,pused]', 'key\u202e', 'k'.repeat(2049)])(
    '%j is no item key',
    (key) => {
      expect(badFields({ ...fullProblem, item_key_orig: key })).toEqual(['item_key_orig']);
    },
  );
});

describe('tags', () => {
  const tagsOf = (event_tags: string) => alertOf({ ...fullProblem, event_tags })?.tags;
  const many = (count: number) =>
    JSON.stringify(Array.from({ length: count }, () => ({ tag: 'a', value: 'b' })));

  it('may repeat, and keep their order', () => {
    const tags = [
      { tag: 'scope', value: 'capacity' },
      { tag: 'scope', value: 'availability' },
    ];

    expect(tagsOf(JSON.stringify(tags))).toEqual(tags);
  });

  it('are one line each and bounded', () => {
    const raw = [
      { tag: 'a\nb', value: `${'v'.repeat(300)}` },
      { tag: '\u0000', value: '' },
    ];

    expect(tagsOf(JSON.stringify(raw))).toEqual([
      { tag: 'a b', value: `${'v'.repeat(254)}…` },
      { tag: '', value: '' },
    ]);
  });

  it('named like parts of every object are only names', () => {
    const tags =
      '[{"tag":"__proto__","value":"x"},{"tag":"constructor","value":"y","__proto__":{"value":"z"}}]';

    expect(tagsOf(tags)).toEqual([
      { tag: '__proto__', value: 'x' },
      { tag: 'constructor', value: 'y' },
    ]);
  });

  it('may be as many as 200', () => {
    expect(tagsOf(many(200))).toHaveLength(200);
    expect(badFields({ ...fullProblem, event_tags: many(201) })).toEqual(['event_tags']);
  });

  it.each([
    'null',
    '{}',
    '"text"',
    '[1]',
    '[{"tag":"a"}]',
    '[{"tag":"a","value":1}]',
    '[{"tag":"a","val',
    '[]x',
  ])('%s are none', (event_tags) => {
    expect(badFields({ ...fullProblem, event_tags })).toEqual(['event_tags']);
  });
});

describe('host groups', () => {
  it.each([
    ['Linux servers', ['Linux servers']],
    ['Linux servers, Web/Front ', ['Linux servers', 'Web/Front']],
    [' , ,', []],
    ['a\nb,c', ['a b', 'c']],
  ])('%j are %j', (host_groups, expected) => {
    expect(alertOf({ ...fullProblem, host_groups })?.hostGroups).toEqual(expected);
  });

  it.each([Array.from({ length: 201 }, () => 'g').join(','), 'g'.repeat(256)])(
    'too many or too long: %.20s',
    (groups) => {
      expect(badFields({ ...fullProblem, host_groups: groups })).toEqual(['host_groups']);
    },
  );
});

describe('texts', () => {
  it('are cut, never in the middle of a character', () => {
    const name = alertOf({ ...fullProblem, event_name: '😀'.repeat(1500) })?.eventName;

    expect(name?.length).toBeLessThanOrEqual(2048);
    expect(name?.isWellFormed()).toBe(true);
    expect(name?.endsWith('😀…')).toBe(true);
  });

  it('lose what could hide or turn them', () => {
    const alert = alertOf({ ...fullProblem, event_name: 'a\r\n\u0007b\u202ec\ud800d' });

    expect(alert?.eventName).toBe('a   b c\ufffdd');
  });

  it('of nothing but control characters are absent, and a name of them is refused', () => {
    expect(alertOf({ ...fullProblem, event_opdata: '\u0000\n' })).not.toHaveProperty('opdata');
    expect(badFields({ ...fullProblem, event_name: '\u0000\n' })).toEqual(['event_name']);
  });
});

describe('whatever is posted', () => {
  const anything = fc.oneof(
    fc.json({ maxDepth: 3 }).map((json): unknown => JSON.parse(json)),
    fc.record(
      Object.fromEntries(
        fields.map((field) => [
          field,
          fc.oneof(
            { weight: 6, arbitrary: fc.constant(fullProblem[field]) },
            { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 3000 }) },
            { weight: 1, arbitrary: fc.anything() },
          ),
        ]),
      ),
      { requiredKeys: [] },
    ),
  );
  const texts = (value: unknown): string[] =>
    typeof value === 'string'
      ? [value]
      : typeof value === 'object' && value !== null
        ? Object.values(value).flatMap(texts)
        : [];

  it('gets one of four answers; an alert is bounded, without control characters, and a fault has a name', () => {
    fc.assert(
      fc.property(anything, (body) => {
        const parsed = parseAlert(body, arrival);
        switch (parsed.kind) {
          case 'alert':
            expect(parsed.alert.eventId).toMatch(/^[0-9]{1,20}$/);
            expect(parsed.alert.host.host).toMatch(/^[A-Za-z0-9 ._-]+$/);
            for (const text of texts(parsed.alert)) {
              expect(text.length).toBeLessThanOrEqual(2048);
              expect(text.isWellFormed()).toBe(true);
              expect(text).not.toMatch(/\p{Cc}/u);
            }
            break;
          case 'invalid':
            expect(parsed.problems.length).toBeGreaterThan(0);
            for (const { field } of parsed.problems) expect(['', ...fields]).toContain(field);
            break;
          case 'test':
          case 'not_a_trigger_event':
            break;
        }
      }),
      { numRuns: 500 },
    );
  });

  it('is the same alert when it is posted again', () => {
    fc.assert(
      fc.property(anything, (body) => {
        expect(parseAlert(structuredCloneOr(body), arrival)).toEqual(parseAlert(body, arrival));
      }),
      { numRuns: 100 },
    );
  });
});

/** Functions and symbols among the arbitrary values cannot be cloned; they stay what they are. */
function structuredCloneOr(value: unknown): unknown {
  try {
    return structuredClone(value);
  } catch {
    return value;
  }
}
