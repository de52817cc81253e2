/** The benchmark of cold starts: what counts as a fault of a package, and what is made of times. */
import { describe, expect, it } from 'vitest';
import { initTable, packageFaults, sizeTable, slowStarts, unusedClients } from '../../bench/cold-report.ts';
import { readInit, settingsOf } from '../../bench/cold-starts.ts';

const KIB = 1024;
const packaged = (
  over: {
    readonly name?: string;
    readonly kib?: number;
    readonly files?: Readonly<Record<string, string>>;
  } = {},
) => ({
  name: over.name ?? 'decide-remediation',
  zip: new Uint8Array((over.kib ?? 100) * KIB),
  files: new Map(
    Object.entries(over.files ?? { 'functions/decide-remediation.mjs': 'export const handler=1' }),
  ),
  environment: { INCIDENTS_TABLE: { Ref: 'IncidentsTable' }, JOBS_QUEUE_URL: { Ref: 'JobsQueue' } },
});

describe('a package', () => {
  it.each<[string, Parameters<typeof packaged>[0], readonly string[]]>([
    ['that is small and holds code alone', {}, []],
    ['of 350 KiB', { kib: 350 }, []],
    ['of more', { kib: 351 }, ['351 KiB are more than 350']],
    [
      'of receive-alert of more than 250 KiB',
      { name: 'receive-alert', kib: 251 },
      ['251 KiB are more than 250'],
    ],
    ['with a map', { files: { 'a.mjs': '', 'a.mjs.map': '{}' } }, ['holds a.mjs.map']],
    [
      'with a map inside its code',
      { files: { 'a.mjs': 'x\n//# sourceMappingURL=data:application/json;base64,e30=' } },
      ['holds a source map'],
    ],
    [
      'with a client that it has no use for',
      { files: { 'a.mjs': 'const a="DynamoDB",b="SNS",c="SQS"' } },
      ['holds clients that it does not use: SNS'],
    ],
  ])('%s', (_, over, faults) => {
    expect(packageFaults(packaged(over))).toEqual(faults);
  });

  it('needs no other credentials than its environment gives', () => {
    const files = new Map([['a.mjs', 'a("SSO OIDC"),b("STS")']]);

    expect(unusedClients({ files, environment: { INCIDENTS_TABLE: 'incidents' } })).toEqual([
      'STS',
      'SSO OIDC',
    ]);
  });

  it('has a line in the table, the largest first', () => {
    const lines = sizeTable([packaged({ kib: 10 }), packaged({ name: 'set-pause', kib: 400 })]).split('\n');

    expect(lines[2]).toMatch(/^\| set-pause +\| 400 +\| 0 +\| 400 KiB are more than 350/);
    expect(lines[3]).toMatch(/^\| decide-remediation +\| 10 +\| 0 +\| none/);
  });
});

describe('a cold start', () => {
  const took = (...ms: readonly number[]) => ms.map((each) => ({ ms: each, cpu: each / 2 }));
  const empty = { name: 'an empty function', init: took(50, 40, 60) };

  it('is compared with that of an empty function', () => {
    const lines = initTable(empty, [
      { name: 'fast', init: took(90, 100, 110) },
      { name: 'slow', init: took(200, 400, 150) },
    ]).split('\n');

    expect(
      lines.slice(2).map((line) =>
        line
          .split('|')
          .map((cell) => cell.trim())
          .slice(1, -1),
      ),
    ).toEqual([
      ['slow', '200', '150', '150', '4.0', '100', '75'],
      ['fast', '100', '90', '50', '2.0', '50', '25'],
      ['an empty function', '50', '40', '0', '1.0', '25', '0'],
    ]);
  });

  it('is too slow when its median is', () => {
    expect(slowStarts([{ name: 'fast', init: took(150, 150, 900) }])).toEqual([]);
    expect(slowStarts([{ name: 'slow', init: took(100, 151, 160) }])).toEqual([
      'slow: 151 ms are more than 150',
    ]);
  });

  it.each([
    ['START RequestId: 1\nREMEDIA_INIT 123.456 80.5\nEND', { ms: 123.456, cpu: 80.5 }],
    ['2026-11-28T20:00:00.000Z\t1\tINFO\tREMEDIA_INIT 80 7', { ms: 80, cpu: 7 }],
    ['START RequestId: 1\nEND', undefined],
  ])('is read from the log %j', (log, init) => {
    expect(readInit(log)).toEqual(init);
  });

  it('gets a setting for each that the template gives, and no secret’s name', () => {
    expect(
      settingsOf({
        REMEDIA_MODE: 'live',
        INTAKE_TOKENS: 'ssm:/remedia/prod/intake-tokens',
        INCIDENTS_TABLE: { Ref: 'IncidentsTable' },
        JOBS_QUEUE_URL: { Ref: 'JobsQueue' },
        ESCALATION_TOPIC_ARN: { Ref: 'EscalationTopic' },
      }),
    ).toEqual({
      REMEDIA_MODE: 'live',
      INTAKE_TOKENS: '',
      INCIDENTS_TABLE: 'bench',
      JOBS_QUEUE_URL: expect.stringMatching(/^http/),
      ESCALATION_TOPIC_ARN: expect.stringMatching(/^arn:/),
    });
  });
});
