import { describe, expect, it } from 'vitest';
import { adviseOn } from '#lib/core/policy-advice.ts';
import { aPolicy } from './examples.ts';

const onWeb = (tool: string, autonomy = 'auto') => ({
  rules: [{ tools: [tool], where: { hosts: ['web-*'] }, autonomy }],
});

describe('adviseOn', () => {
  it.each<[string, Record<string, unknown>, string[]]>([
    ['nothing odd', onWeb('restart_service'), []],
    ['no rules', { rules: [] }, ['There are no rules']],
    [
      'cleaning nothing',
      { ...onWeb('cleanup_disk'), allow: {} },
      ['allow.paths is empty', 'cleanup_roots is empty'],
    ],
    ['cleaning something', { ...onWeb('cleanup_disk'), cleanup_roots: ['/var/tmp'] }, []],
    [
      'cleaning too much',
      { ...onWeb('cleanup_disk'), cleanup_roots: ['/var/tmp', '/var'] },
      ['cleanup_roots holds /var,'],
    ],
    ['no services', { ...onWeb('restart_service'), allow: {} }, ['allow.services is empty']],
    ['no applications', { ...onWeb('restart_application'), allow: {} }, ['allow.applications is empty']],
    [
      'everything allowed',
      { ...onWeb('analyze_processes'), allow: { services: ['nginx.service', '*'] } },
      ['allow.services holds "*"'],
    ],
    [
      'acting everywhere',
      { rules: [{ tools: ['restart_service'], autonomy: 'auto' }] },
      ['acts on every host'],
    ],
    ['asking everywhere', { rules: [{ tools: ['restart_service'], autonomy: 'approve' }] }, []],
    ['looking everywhere', { rules: [{ tools: ['analyze_processes'], autonomy: 'auto' }] }, []],
    [
      'aliases that lead nowhere',
      {
        ...onWeb('restart_service'),
        aliases: {
          services: { nginx: ['nginx.service'], mail: ['postfix.service'] },
          paths: { root: ['/root'] },
        },
      },
      ['aliases.services.mail: postfix.service is not in allow.services', 'aliases.paths.root: /root is not'],
    ],
  ])('on %s', (_name, input, sentences) => {
    const advice = adviseOn(aPolicy(input));

    expect(advice).toHaveLength(sentences.length);
    for (const [index, sentence] of sentences.entries()) expect(advice[index]).toContain(sentence);
  });
});
