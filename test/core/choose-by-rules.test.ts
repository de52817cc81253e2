/** Choosing without a model: the first possible tool with its best values, and never between two that change something. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { catalogue } from '#lib/catalogue/index.ts';
import { chooseByRules, groundWithoutReader } from '#lib/core/choose-by-rules.ts';

const clean = { tool: 'cleanup_disk', values: { path: ['/var', '/'] }, evidence: 'a mount' } as const;
const restart = {
  tool: 'restart_service',
  values: { service_name: ['nginx.service', 'nginx'] },
  evidence: 'a unit',
} as const;
const look = { tool: 'analyze_processes', values: { resource_type: ['cpu'] }, evidence: 'a load' } as const;
const app = { tool: 'restart_application', values: { app_name: ['shop'] }, evidence: 'a container' } as const;
const read = { ...restart, needsReader: true } as const;
const grounded = { node: 'web-01', reasons: [] } as const;

describe('rules', () => {
  it.each([
    ['the only tool', [clean], 'cleanup_disk', { path: '/var' }],
    ['the best of several values', [restart], 'restart_service', { service_name: 'nginx.service' }],
    ['the first of several tools', [restart, look], 'restart_service', { service_name: 'nginx.service' }],
    ['the look that comes before a restart', [look, app], 'analyze_processes', { resource_type: 'cpu' }],
    ['the first that needs no reader', [read, look], 'analyze_processes', { resource_type: 'cpu' }],
  ] as const)('choose %s', (_, eligible, tool, args) => {
    expect(chooseByRules({ eligible })).toEqual({ kind: 'proposal', tool, arguments: args });
  });

  it.each([
    ['two tools that change something', [restart, look, app]],
    ['one and what only a reader may choose', [read, look, app]],
  ] as const)('do not choose between %s', (_, eligible) => {
    expect(chooseByRules({ eligible })).toEqual({
      kind: 'refusal',
      code: 'unsure',
      reason:
        'The evidence speaks for restart_service and restart_application, and no model was asked which of them it is.',
    });
  });

  it.each([['nothing', []] as const, ['what only a reader may choose', [read]] as const])(
    'choose nothing where %s is possible',
    (_, eligible) => {
      expect(chooseByRules({ eligible })).toMatchObject({ kind: 'refusal', code: 'no_call' });
    },
  );

  it('give an empty value, which nothing accepts, where evidence has none', () => {
    const eligible = [{ ...clean, values: { path: [] } }];
    expect(chooseByRules({ eligible })).toMatchObject({ arguments: { path: '' } });
  });

  it('never choose what is not possible, whatever is', () => {
    const tools = fc.subarray([clean, restart, look, app, read]);
    fc.assert(
      fc.property(tools, (eligible) => {
        const chosen = chooseByRules({ eligible });
        if (chosen.kind === 'refusal') return;
        const own = eligible.find(({ tool }) => tool === chosen.tool);
        expect(Object.keys(own?.values ?? {})).toEqual(Object.keys(chosen.arguments));
        const changing = eligible.filter(({ tool }) => catalogue[tool].safety === 'disruptive');
        expect(changing.length).toBeLessThan(2);
      }),
    );
  });
});

describe('the grounding without a reader', () => {
  it('is the same where evidence and words are enough', () => {
    const grounding = { ...grounded, eligible: [restart, look] };
    expect(groundWithoutReader(grounding)).toBe(grounding);
  });

  it('keeps what only a reader may choose beside another tool that changes something', () => {
    const grounding = { ...grounded, eligible: [read, look, app] };
    expect(groundWithoutReader(grounding)).toBe(grounding);
  });

  it('leaves out what only a reader may choose, and says so', () => {
    expect(groundWithoutReader({ ...grounded, eligible: [read, look] })).toEqual({
      node: 'web-01',
      eligible: [look],
      reasons: [
        {
          code: 'no_eligible_tool',
          text: 'For restart_service a model has to read the alert, and none is asked here (DECIDER=rules).',
        },
      ],
    });
  });
});
