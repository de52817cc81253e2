/** What can be seen of the media type without a Zabbix; what its interpreter makes of it is tested on a real one. */
import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import * as z from 'zod';
import { wireAlertSchema } from '#lib/core/parse-alert.ts';

const file = z
  .object({
    zabbix_export: z.object({
      version: z.literal('7.0'),
      media_types: z.tuple([
        z.object({
          name: z.literal('Remedia'),
          parameters: z.array(z.object({ name: z.string(), value: z.string().max(2048).optional() })),
          attempts: z.coerce.number(),
          script: z.string(),
          process_tags: z.literal('YES'),
          message_templates: z.array(z.object({ event_source: z.string(), operation_mode: z.string() })),
        }),
      ]),
    }),
  })
  .parse(parseYaml(readFileSync('zabbix/media_remedia.yaml', 'utf8')));
const [mediaType] = file.zabbix_export.media_types;
const parameters = new Map(mediaType.parameters.map(({ name, value = '' }) => [name, value]));

describe('the media type', () => {
  it('sends every field of the alert format', () => {
    // The trigger's name with its macros expanded is left out on purpose; what is sent besides is for people who read it.
    // {EVENT.TIMESTAMP} came after 7.0, where it would only be sent as it stands.
    const left = ['trigger_name', 'event_timestamp'];
    const fields = Object.keys(wireAlertSchema.shape).filter((field) => !left.includes(field));

    expect(fields.length).toBeGreaterThan(20);
    expect([...parameters.keys()]).toEqual(expect.arrayContaining(fields));
  });

  it('expands no user macro but those that are meant: passwords occur in item keys', () => {
    const values = [...parameters.values()].join('\n');

    expect(values).not.toMatch(/\{(ITEM\.KEY|ITEM\.NAME|TRIGGER\.NAME|TRIGGER\.EXPRESSION)\d?\}/);
    expect(values.match(/\{\$[\w.]+\}/g)).toEqual([
      '{$REMEDIA.SIGNING.KEY}',
      '{$REMEDIA.SOURCE}',
      '{$REMEDIA.TOKEN}',
    ]);
  });

  it('stays below the 65,535 characters at which Zabbix cuts, even when what others write is all escaped', () => {
    /** Zabbix's own limits of what has one, in characters; the rest is ids, numbers and names of at most 255. */
    const bounded: Readonly<Record<string, number>> = {
      '{EVENT.NAME}': 2048,
      '{ITEM.KEY.ORIG}': 2048,
      '{ALERT.SENDTO}': 1024,
      '{$REMEDIA.TOKEN}': 2048,
      '{$REMEDIA.SIGNING.KEY}': 2048,
    };
    /** What a sender of data can write may be control characters, `\u0001` each; the tags are JSON, full of quotes. */
    const escaped = (name: string) =>
      /^(event_name|event_opdata|item_value|subject|message)$/.test(name) ? 6 : name === 'event_tags' ? 2 : 1;
    const longest = [...parameters].map(([name, value]) => {
      const cap = /\{0,(\d+)\}/.exec(value)?.[1];
      const named = /NAME|HOST|SUBJECT|SOURCE\}/.test(value) ? 255 : 20;
      return name.length + 6 + escaped(name) * (cap === undefined ? (bounded[value] ?? named) : Number(cap));
    });

    expect(longest.reduce((sum, each) => sum + each, 0)).toBeLessThan(65_535);
  });

  it('has words for the problem, the recovery and the update of a trigger', () => {
    expect(
      mediaType.message_templates.map(({ event_source, operation_mode }) => [event_source, operation_mode]),
    ).toEqual([
      ['TRIGGERS', 'PROBLEM'],
      ['TRIGGERS', 'RECOVERY'],
      ['TRIGGERS', 'UPDATE'],
    ]);
    expect(mediaType.attempts).toBeGreaterThanOrEqual(3);
  });

  it('uses nothing that came to JavaScript after its fifth edition', () => {
    const tree = ts.createSourceFile(
      'script.js',
      mediaType.script,
      ts.ScriptTarget.ES2024,
      true,
      ts.ScriptKind.JS,
    );
    const found: string[] = [];
    const newer = new Set([
      ts.SyntaxKind.ArrowFunction,
      ts.SyntaxKind.TemplateExpression,
      ts.SyntaxKind.NoSubstitutionTemplateLiteral,
      ts.SyntaxKind.ClassDeclaration,
      ts.SyntaxKind.SpreadElement,
      ts.SyntaxKind.SpreadAssignment,
      ts.SyntaxKind.ShorthandPropertyAssignment,
      ts.SyntaxKind.ForOfStatement,
      ts.SyntaxKind.ObjectBindingPattern,
      ts.SyntaxKind.ArrayBindingPattern,
      ts.SyntaxKind.AwaitExpression,
      ts.SyntaxKind.QuestionDotToken,
      ts.SyntaxKind.QuestionQuestionToken,
    ]);
    const visit = (node: ts.Node): void => {
      const scoped = ts.isVariableDeclarationList(node) && (node.flags & ts.NodeFlags.BlockScoped) !== 0;
      const late =
        ts.isPropertyAccessExpression(node) &&
        /^(includes|find|findIndex|padStart|padEnd|entries|values|fromEntries|flat|flatMap|at|replaceAll)$/.test(
          node.name.text,
        );
      if (scoped || late || newer.has(node.kind)) found.push(node.getText());
      ts.forEachChild(node, visit);
    };
    visit(tree);

    expect(found).toEqual([]);
  });
});
