/** Every way in which a model's answer becomes a proposal or a refusal with a name. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REFUSALS } from '#lib/core/incident.ts';
import { readAnswer } from '#lib/core/read-answer.ts';

const grounding = {
  eligible: [
    { tool: 'restart_service', values: { service_name: ['nginx', 'nginx.service'] }, evidence: 'a key' },
    { tool: 'analyze_processes', values: { resource_type: ['cpu'] }, evidence: 'a key' },
    { tool: 'restart_application', values: { app_name: ['shop'] }, evidence: 'a key' },
  ],
  node: 'web-01',
  reasons: [],
} as const;

const inContent = (content: string, doneReason = 'stop') =>
  readAnswer({ toolCalls: [], content, doneReason }, grounding);
const asCall = (name: string, given: unknown) =>
  readAnswer({ toolCalls: [{ name, arguments: given }], content: '', doneReason: 'stop' }, grounding);
const restart = '{"name":"restart_service","arguments":{"service_name":"nginx.service"}}';
const proposal = {
  kind: 'proposal',
  tool: 'restart_service',
  arguments: { service_name: 'nginx.service' },
};

describe('an answer that is one possible call', () => {
  it('is a proposal, as a tool call', () => {
    expect(asCall('restart_service', { service_name: 'nginx.service' })).toEqual(proposal);
    expect(asCall('restart_service', { service_name: 'nginx', force: false, timeout: 30 })).toEqual({
      ...proposal,
      arguments: { service_name: 'nginx', force: false, timeout: 30 },
    });
  });

  it.each([
    restart,
    `\`\`\`json\n${restart}\n\`\`\``,
    `Here it is: ${restart} I hope that helps.`,
    `[${restart}]`,
    restart.replace('arguments', 'parameters'),
    restart.replace('{', '{"says":"down",'),
    restart.replace('{', '{"says":"unhealthy",'),
    `\n\n ${restart}\n\n`,
  ])('is a proposal, as text: %s', (content) => {
    expect(inContent(content)).toEqual(proposal);
  });

  it('counts even when the server cut what followed', () => {
    expect(inContent(`${restart}\n\n\n`, 'length')).toEqual(proposal);
  });

  it('may follow from another reading, where evidence says so', () => {
    const [, , shop] = grounding.eligible;
    const found = { ...grounding, eligible: [{ ...shop, when: ['busy'] }] } as const;
    const content = '{"says":"busy","name":"restart_application","arguments":{"app_name":"shop"}}';
    const answer = { toolCalls: [], content, doneReason: 'stop' };
    expect(readAnswer(answer, found)).toMatchObject({ kind: 'proposal', tool: 'restart_application' });
    expect(readAnswer(answer, grounding)).toMatchObject({ kind: 'refusal', code: 'ungrounded_value' });
  });

  it.each([
    [{ down: 0.51, other: 0.49 }, 'proposal'],
    [{ down: 0.3, unhealthy: 0.3, other: 0.4 }, 'proposal'],
    [{ down: 0.49, other: 0.51 }, 'refusal'],
    [{ full: 0.9, other: 0.1 }, 'refusal'],
    [{}, 'proposal'],
  ])('needs a model that is sure of what it reads: %j', (readings, kind) => {
    const content = '{"says":"down","name":"restart_service","arguments":{"service_name":"nginx.service"}}';
    const read = readAnswer({ toolCalls: [], content, doneReason: 'stop', trace: { readings } }, grounding);
    expect(read.kind).toBe(kind);
    if (read.kind === 'refusal') expect(read.code).toBe('unsure');
  });

  it.each([
    [0.66, 'proposal'],
    [0.64, 'refusal'],
  ])('needs one that is surer where no word of the name had to agree: %d', (busy, kind) => {
    const content = '{"says":"busy","name":"analyze_processes","arguments":{"resource_type":"cpu"}}';
    const trace = { readings: { busy, other: 1 - busy } };
    expect(readAnswer({ toolCalls: [], content, doneReason: 'stop', trace }, grounding).kind).toBe(kind);
  });

  it.each([
    [{ down: 0.91, other: 0.09 }, 'proposal'],
    [{ down: 0.89, other: 0.11 }, 'refusal'],
    [{ down: 0.6, busy: 0.4 }, 'refusal'],
    [{ down: 0.001, other: 0 }, 'refusal'],
    [{}, 'refusal'],
    [undefined, 'refusal'],
  ])(
    'needs one that is very sure where nothing but itself says that anything is wrong: %j',
    (readings, kind) => {
      const [service] = grounding.eligible;
      const alone = { ...grounding, eligible: [{ ...service, needsReader: true }] } as const;
      const content = '{"says":"down","name":"restart_service","arguments":{"service_name":"nginx.service"}}';
      const trace = readings === undefined ? {} : { readings };
      const read = readAnswer({ toolCalls: [], content, doneReason: 'stop', trace }, alone);
      expect(read.kind).toBe(kind);
      if (read.kind === 'refusal') expect(read.code).toBe('unsure');
    },
  );

  it('is not taken at a tool call’s word where it has to have read the alert', () => {
    const [service] = grounding.eligible;
    const alone = { ...grounding, eligible: [{ ...service, needsReader: true }] } as const;
    const toolCalls = [{ name: 'restart_service', arguments: { service_name: 'nginx.service' } }];
    const answer = { toolCalls, content: '', doneReason: 'stop', trace: { readings: { down: 1 } } };
    expect(readAnswer(answer, alone)).toMatchObject({ kind: 'refusal', code: 'unsure' });
  });

  it('asks for a human however sure it is', () => {
    const content = '{"says":"other","name":"notify","arguments":{"message":"Look."}}';
    const answer = {
      toolCalls: [],
      content,
      doneReason: 'stop',
      trace: { readings: { other: 0.2, down: 0.2 } },
    };
    expect(readAnswer(answer, grounding)).toMatchObject({ kind: 'proposal', tool: 'notify' });
  });

  it('may tell a human about whatever it reads', () => {
    const says = ['down', 'other', 'whatever'];
    for (const each of says) {
      const content = `{"says":"${each}","name":"notify","arguments":{"message":"Look."}}`;
      expect(inContent(content)).toMatchObject({ kind: 'proposal', tool: 'notify' });
    }
  });

  it('may always ask for a human', () => {
    expect(asCall('notify', { message: 'Look.', priority: 'high' })).toEqual({
      kind: 'proposal',
      tool: 'notify',
      arguments: { message: 'Look.', priority: 'high' },
    });
    const nothing = { eligible: [], node: 'web-01', reasons: [] };
    const answer = {
      toolCalls: [{ name: 'notify', arguments: { message: 'Look.' } }],
      content: '',
      doneReason: '',
    };
    expect(readAnswer(answer, nothing)).toMatchObject({ kind: 'proposal', tool: 'notify' });
  });

  it('prefers the one tool call to whatever the text says', () => {
    const toolCalls = [{ name: 'notify', arguments: { message: 'Look.' } }];
    expect(readAnswer({ toolCalls, content: restart, doneReason: 'stop' }, grounding)).toMatchObject({
      tool: 'notify',
    });
  });
});

describe('every other answer is refused by name', () => {
  it.each([
    ['unknown_tool', 'reboot', {}],
    ['unknown_tool', 'constructor', {}],
    ['unknown_tool', '', {}],
    ['extra_argument', 'restart_service', { service_name: 'nginx', host: 'db-01' }],
    ['extra_argument', 'restart_service', { host: 'db-01' }],
    ['missing_argument', 'restart_service', {}],
    ['missing_argument', 'notify', { team: 'operations' }],
    ['mistyped_argument', 'restart_service', { service_name: 7 }],
    ['mistyped_argument', 'restart_service', { service_name: 'nginx; reboot' }],
    ['mistyped_argument', 'restart_service', { service_name: 'nginx\n' }],
    ['mistyped_argument', 'restart_service', { service_name: null }],
    ['mistyped_argument', 'restart_service', { service_name: 'nginx', timeout: '60' }],
    ['mistyped_argument', 'restart_service', { service_name: 'nginx', timeout: 100_000 }],
    ['mistyped_argument', 'restart_service', ['nginx']],
    ['mistyped_argument', 'restart_service', 'nginx'],
    ['mistyped_argument', 'restart_service', null],
    ['mistyped_argument', 'notify', { message: 'a\u0007b' }],
    ['ungrounded_value', 'restart_service', { service_name: 'sshd' }],
    ['ungrounded_value', 'restart_service', { service_name: 'Nginx' }],
    ['ungrounded_value', 'restart_service', { service_name: 'nginx', force: true }],
    ['ungrounded_value', 'restart_application', { app_name: 'shop', graceful: false }],
    ['ungrounded_value', 'cleanup_disk', { path: '/var' }],
    ['ungrounded_value', 'analyze_processes', { resource_type: 'memory' }],
  ])('%s: %s %j', (code, name, given) => {
    expect(asCall(name, given)).toMatchObject({ kind: 'refusal', code });
  });

  it.each([
    ['no_call', '', 'stop'],
    ['no_call', '[]', 'stop'],
    ['no_call', ' \n', 'length'],
    ['no_call', 'I would restart nginx.', 'stop'],
    ['truncated', 'I would restart nginx and then I would', 'length'],
    ['no_call', '{}', 'stop'],
    ['no_call', '{"tool":"restart_service"}', 'stop'],
    ['no_call', '{"name":7,"arguments":{}}', 'stop'],
    ['missing_argument', '{"name":"restart_service"}', 'stop'],
    ['extra_argument', '{"name":"restart_service","args":{}}', 'stop'],
    ['extra_argument', '{"name":"restart_service","arguments":{},"host":"db-01"}', 'stop'],
    ['mistyped_argument', '{"name":"restart_service","arguments":"nginx"}', 'stop'],
    ['ungrounded_value', restart.replace('{', '{"says":"other",'), 'stop'],
    ['ungrounded_value', restart.replace('{', '{"says":"full",'), 'stop'],
    ['ungrounded_value', restart.replace('{', '{"says":null,'), 'stop'],
    ['unparseable', '{"name": restart_service}', 'stop'],
    ['unparseable', '} {', 'stop'],
    ['truncated', '{"name":"restart_service","arguments":{"service_name":"ngi', 'length'],
    ['several_calls', `${restart}\n${restart}`, 'stop'],
    ['several_calls', `[${restart},${restart}]`, 'stop'],
  ])('%s: %s', (code, content, doneReason) => {
    expect(inContent(content, doneReason)).toMatchObject({ kind: 'refusal', code });
  });

  it('several_calls, also when both are the same', () => {
    const call = { name: 'restart_service', arguments: { service_name: 'nginx' } };
    expect(readAnswer({ toolCalls: [call, call], content: '', doneReason: 'stop' }, grounding)).toMatchObject(
      {
        code: 'several_calls',
      },
    );
  });
});

describe('whatever a model says', () => {
  const anything = fc.record({
    toolCalls: fc.array(
      fc.record({
        name: fc.oneof(fc.constantFrom('restart_service', 'notify', 'cleanup_disk'), fc.string()),
        arguments: fc.oneof(
          fc.jsonValue(),
          fc.record(
            {
              service_name: fc.jsonValue(),
              force: fc.boolean(),
              message: fc.string(),
              __proto__: fc.jsonValue(),
            },
            { requiredKeys: [] },
          ),
        ),
      }),
      { maxLength: 2 },
    ),
    content: fc.oneof(fc.string(), fc.json()),
    doneReason: fc.constantFrom('stop', 'length', ''),
  });

  it('comes out as a refusal with a known name, a message, or a tool with grounded values', () => {
    fc.assert(
      fc.property(anything, (answer) => {
        const read = readAnswer(answer, grounding);
        if (read.kind === 'refusal') {
          expect(REFUSALS).toContain(read.code);
          return;
        }
        if (read.tool === 'notify') return;
        const eligible = grounding.eligible.find(({ tool }) => tool === read.tool);
        expect(eligible).toBeDefined();
        expect(read.arguments['force']).not.toBe(true);
        for (const [name, allowed] of Object.entries(eligible?.values ?? {})) {
          expect(allowed).toContain(read.arguments[name]);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('never lets its text into the reason of a refusal', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{12,30}$/), (secret) => {
        for (const read of [
          asCall(secret, {}),
          asCall('restart_service', { service_name: secret }),
          asCall('restart_service', { [secret]: 1 }),
          inContent(secret),
          inContent(`{${secret}`),
        ]) {
          expect(read.kind === 'refusal' && !read.reason.includes(secret)).toBe(true);
        }
      }),
    );
  });
});
