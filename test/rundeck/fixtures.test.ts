/** Every case that Rundeck 5.20.1's own classes answered, against the simulated ones: they must agree. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { isAllowed, parseAccessPolicies } from '#local/rundeck/access-policy.ts';
import { readOptions, renderStep } from '#local/rundeck/arguments.ts';
import { checkOptions, parseJobs } from '#local/rundeck/job-definition.ts';
import { chooseNodes, parseNodeFilter } from '#local/rundeck/node-filter.ts';
import { readWebhookPost } from '#local/rundeck/webhook.ts';

const read = (name: string) => readFileSync(new URL(`../fixtures/rundeck/${name}`, import.meta.url), 'utf8');
const cases = <Input extends z.ZodType, Output extends z.ZodType>(
  name: string,
  input: Input,
  output: Output,
) =>
  z
    .object({ cases: z.array(z.strictObject({ name: z.string(), in: input, out: output })) })
    .parse(JSON.parse(read(name))).cases;
const texts = z.record(z.string(), z.string());

const optionCases = cases(
  'option-validation.json',
  z.strictObject({ file: z.string(), argString: z.string() }),
  z.object({
    options: texts,
    unknown: z.array(z.string()),
    ok: z.boolean(),
    message: z.string().optional(),
    errors: texts.optional(),
  }),
);
const stepCases = cases(
  'step-command.json',
  z.strictObject({
    exec: z.string().optional(),
    script: z.string().optional(),
    args: z.string().optional(),
    scriptInterpreter: z.string().optional(),
    interpreterArgsQuoted: z.boolean().optional(),
    values: texts,
  }),
  z.unknown(),
);
const filterCases = cases(
  'node-filter.json',
  z.strictObject({
    filter: z.string(),
    nodes: z.array(z.object({ nodename: z.string() }).catchall(z.string())),
  }),
  z.strictObject({ filter: z.string(), parsed: z.unknown(), chosen: z.array(z.string()) }),
);
const webhookCases = cases(
  'webhook-run-job.json',
  z.strictObject({ argString: z.string(), nodeFilter: z.string().nullable(), body: z.string() }),
  z.strictObject({
    jobId: z.string().optional(),
    argString: z.string().optional(),
    nodeFilter: z.string().optional(),
    asUser: z.string().optional(),
    options: texts.optional(),
    status: z.number().optional(),
    err: z.string().optional(),
  }),
);
const resource = z.object({ type: z.string() }).catchall(z.string());
const check = z.strictObject({ resource, action: z.string() });
const policyCases = cases(
  'access-policy.json',
  z.strictObject({
    file: z.string(),
    groups: z.array(z.string()),
    project: z.string(),
    checks: z.array(check),
  }),
  z.strictObject({ valid: z.boolean(), decisions: z.array(check.extend({ allowed: z.boolean() })) }),
);

describe('option validation', () => {
  it.each(optionCases.map((one) => [one.name, one] as const))('%s', (_name, { in: input, out }) => {
    const [job] = parseJobs(read(input.file));
    if (job === undefined) throw new Error('no job');
    const checked = checkOptions(job, readOptions(input.argString));
    expect({
      options: checked.options,
      unknown: checked.unknown,
      ok: checked.message === undefined,
      ...(checked.message === undefined ? {} : { message: checked.message, errors: checked.errors }),
    }).toEqual(out);
  });
});

describe('the command of a step', () => {
  it.each(stepCases.map((one) => [one.name, one] as const))('%s', (_name, { in: input, out }) => {
    expect(renderStep(input, input.values)).toEqual(out);
  });
});

describe('node filters', () => {
  it.each(filterCases.map((one) => [one.name, one] as const))('%s', (_name, { in: input, out }) => {
    expect({
      filter: input.filter,
      parsed: parseNodeFilter(input.filter),
      chosen: chooseNodes(input.filter, input.nodes).map(({ nodename }) => nodename),
    }).toEqual(out);
  });
});

describe('the webhook', () => {
  it.each(webhookCases.map((one) => [one.name, one] as const))('%s', (_name, { in: input, out }) => {
    const result = readWebhookPost(
      { jobId: 'J', argString: input.argString, nodeFilter: input.nodeFilter },
      input.body,
      { id: 'hook', project: 'remedia', sender: '192.0.2.1', timestamp: '0' },
    );
    if (result.kind === 'refused') {
      expect({ status: result.status, err: result.err }).toEqual({ status: out.status, err: out.err });
    } else {
      const { kind: _kind, ...rest } = result;
      expect({ ...rest, options: readOptions(rest.argString) }).toEqual(out);
    }
  });
});

describe('the access policy', () => {
  it.each(policyCases.map((one) => [one.name, one] as const))('%s', (_name, { in: input, out }) => {
    const policies = parseAccessPolicies(read(input.file));
    const subject = { user: 'x', groups: input.groups };
    expect(
      input.checks.map((one) => ({
        ...one,
        allowed: isAllowed(policies, subject, input.project, one.resource, one.action),
      })),
    ).toEqual(out.decisions);
  });
});

it('all 98 cases of these five files are here; the other four of the 102 are notifications, in a test of their own', () => {
  const count = [optionCases, stepCases, filterCases, webhookCases, policyCases].map((list) => list.length);
  expect(count).toEqual([13, 21, 27, 34, 3]);
});
