/** Reads a policy written in YAML; every fault with its line, its column and what was expected there. */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
} from 'yaml';
import * as z from 'zod';
import { hashOf } from '#lib/core/canonical-json.ts';
import { type Policy, policySchema } from '#lib/core/policy.ts';

/** Lines and columns count from 1. */
export interface PolicyProblem {
  readonly line: number;
  readonly column: number;
  /** Such as `rules[0].where.hosts`; empty for the whole file. */
  readonly path: string;
  readonly message: string;
}

export type PolicyReading =
  | {
      readonly kind: 'policy';
      readonly policy: Policy;
      /** sha256 of the canonical JSON with every default filled in, hex. */
      readonly hash: string;
    }
  | { readonly kind: 'problems'; readonly problems: readonly PolicyProblem[] };

type Path = readonly PropertyKey[];
type Document = ReturnType<typeof parseDocument>;

/** Never throws for what is in the text. At most 1 MiB is read. */
export function readPolicy(text: string): PolicyReading {
  if (text.length > 1_048_576) {
    return problems([{ line: 1, column: 1, path: '', message: 'expected a file of at most 1 MiB' }]);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const at = (offset: number, path: string, message: string): PolicyProblem => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1), path, message };
  };
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0) {
    return problems(
      faults.map(({ code, pos, message }) => at(pos[0], '', YAML_FAULTS[code] ?? firstLine(message))),
    );
  }
  const dropped = prototypeKeys(document);
  if (dropped.length > 0) return problems(dropped.map((offset) => at(offset, '', 'expected another key')));
  const value = plainValue(document);
  if (value === undefined) {
    return problems([at(0, '', 'expected fewer references to anchors')]);
  }
  const parsed = policySchema.safeParse(value.value, { reportInput: true });
  if (parsed.success) return { kind: 'policy', policy: parsed.data, hash: hashOf(parsed.data) };
  return problems(
    parsed.error.issues.flatMap((issue) => {
      if (issue.code !== 'unrecognized_keys') {
        const missing = issue.code === 'invalid_type' && issue.input === undefined;
        return at(
          offsetOf(document, issue.path),
          pathText(issue.path),
          missing ? `missing; ${expectation(issue)}` : expectation(issue),
        );
      }
      const known = knownKeys(issue.path);
      return issue.keys.map((key) =>
        at(
          keyOffset(document, issue.path, key),
          pathText([...issue.path, key]),
          `unknown key; expected one of ${known.join(', ')}${suggestion(key, known)}`,
        ),
      );
    }),
  );
}

/** `file:line:column path: message`, as editors and terminals understand it. */
export function problemText(file: string, { line, column, path, message }: PolicyProblem): string {
  return `${file}:${line}:${column} ${path === '' ? '' : `${path}: `}${message}`;
}

function problems(found: readonly PolicyProblem[]): PolicyReading {
  return {
    kind: 'problems',
    problems: [...found].sort((a, b) => a.line - b.line || a.column - b.column),
  };
}

/** zod leaves a key `__proto__` out in silence, and a rule with one condition less allows more. */
function prototypeKeys(document: Document): readonly number[] {
  const offsets: number[] = [];
  visit(document, {
    Pair: (_key, { key }) => {
      if (isScalar(key) && key.value === '__proto__') offsets.push(key.range?.[0] ?? 0);
    },
  });
  return offsets;
}

/** Anchors may be used, but not to blow a small file up. */
function plainValue(document: Document): { readonly value: unknown } | undefined {
  try {
    return { value: document.toJS({ maxAliasCount: 1_000 }) };
  } catch {
    return undefined;
  }
}

/** By yaml's code of the fault; the others' own sentences are good. */
const YAML_FAULTS: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'this key is here twice; expected it once',
  MULTIPLE_DOCS: 'a second document begins here; expected one',
};

const WORDS: readonly (readonly [RegExp, string])[] = [
  [/, received .*$/, ''],
  [/expected (?:object|record)/, 'expected keys with values'],
  [/expected array to have/, 'expected a list of'],
  [/expected array/, 'expected a list'],
  [/expected string to have/, 'expected text of'],
  [/expected string/, 'expected text'],
  [/expected int/, 'expected a whole number'],
  [/expected number(?: to be)?/, 'expected a number'],
  [/(?: of)? <=/, ' of at most '],
  [/(?: of)? >=/, ' of at least '],
  [/"\|"/g, ', '],
  [/expected one of "(.*)"$/, 'expected one of $1'],
];

/** zod's sentence from "expected" on, in the words of the file and without what was there instead. */
function expectation(issue: z.core.$ZodIssue): string {
  const inner = 'issues' in issue ? issue.issues[0]?.message : undefined;
  const message = inner ?? issue.message;
  return WORDS.reduce(
    (text, [from, to]) => text.replace(from, to),
    message.slice(Math.max(0, message.indexOf('expected'))),
  );
}

/** Where the value at this path begins; where it is missing, where the nearest one around it does. */
function offsetOf(document: Document, path: Path): number {
  let node = resolved(document, document.contents);
  let offset = node?.range?.[0] ?? 0;
  for (const key of path) {
    node = resolved(document, childOf(node, key));
    if (node?.range === undefined || node.range === null) return offset;
    offset = node.range[0];
  }
  return offset;
}

function keyOffset(document: Document, path: Path, key: string): number {
  let node = resolved(document, document.contents);
  for (const step of path) node = resolved(document, childOf(node, step));
  const pair = pairOf(node, key);
  return (isScalar(pair?.key) ? pair.key.range?.[0] : undefined) ?? offsetOf(document, path);
}

function resolved(document: Document, node: unknown): Node | undefined {
  const target = isAlias(node) ? node.resolve(document) : node;
  return isMap(target) || isSeq(target) || isScalar(target) ? target : undefined;
}

function childOf(node: unknown, key: PropertyKey): unknown {
  return isSeq(node) ? node.items[Number(key)] : pairOf(node, String(key))?.value;
}

function pairOf(node: unknown, key: string): Pair | undefined {
  return isMap(node)
    ? node.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === key)
    : undefined;
}

interface Shape {
  readonly properties?: Readonly<Record<string, Shape>> | undefined;
  readonly additionalProperties?: Shape | boolean | undefined;
  readonly items?: Shape | undefined;
  readonly propertyNames?: { readonly enum?: readonly string[] | undefined } | undefined;
}

/** The keys that the schema knows at this path. */
function knownKeys(path: Path): readonly string[] {
  let shape: Shape | undefined = shapeSchema.parse(z.toJSONSchema(policySchema, { io: 'input' }));
  for (const key of path) {
    const next: Shape | boolean | undefined =
      typeof key === 'number'
        ? shape?.items
        : (shape?.properties?.[String(key)] ?? shape?.additionalProperties);
    shape = typeof next === 'object' ? next : undefined;
  }
  return shape?.propertyNames?.enum ?? Object.keys(shape?.properties ?? {});
}

const shapeSchema: z.ZodType<Shape> = z.lazy(() =>
  z.object({
    properties: z.record(z.string(), shapeSchema).optional(),
    additionalProperties: z.union([z.boolean(), shapeSchema]).optional(),
    items: shapeSchema.optional(),
    propertyNames: z.object({ enum: z.array(z.string()).optional() }).optional(),
  }),
);

/** The nearest known key, when at most two letters are wrong. */
function suggestion(key: string, known: readonly string[]): string {
  const [nearest] = known
    .map((each) => ({ each, steps: distance(key.toLowerCase().slice(0, 64), each) }))
    .filter(({ steps }) => steps <= 2)
    .sort((a, b) => a.steps - b.steps);
  return nearest === undefined ? '' : `; perhaps ${nearest.each} is meant`;
}

/** Levenshtein's distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries()) {
      const replaced = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

function pathText(path: Path): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');
}

function firstLine(text: string): string {
  return text.split('\n', 1).join('');
}
