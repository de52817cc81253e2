/** What `npm run bench:cold` has measured, as tables, and whether it holds what was promised. */
import { quantile } from '#test/evals/figures.ts';
import { markdownTable } from '../scripts/markdown-table.ts';
import type { PackagedFunction } from './packaged-functions.ts';

const KIB = 1024;
/** Kibibytes of a zip. */
const LARGEST_ZIP = { 'receive-alert': 250, others: 350 } as const;
/** Milliseconds from the start of the process to its being ready for the first event. */
const LONGEST_INIT = 150;

/** Clients of the SDK by the name in their code, and the settings by which a function has something for each to do. */
const CLIENTS: readonly (readonly [name: string, needs: RegExp])[] = [
  ['DynamoDB', /^INCIDENTS_TABLE$/],
  ['SQS', /_QUEUE_URL$/],
  ['SNS', /_TOPIC_ARN$/],
  // What credentials can come from elsewhere; Lambda gives them in the environment.
  ['STS', /^$/],
  ['SSO', /^$/],
  ['SSO OIDC', /^$/],
  ['Signin', /^$/],
  ['SSM', /^$/],
  ['Secrets Manager', /^$/],
];

type Packaged = Pick<PackagedFunction, 'name' | 'zip' | 'files' | 'environment'>;

/** Names of the SDK's clients that are in a function's code, although none of its settings gives them anything to do. */
export function unusedClients({
  files,
  environment,
}: Pick<Packaged, 'files' | 'environment'>): readonly string[] {
  const code = [...files.values()].join('\n');
  return CLIENTS.filter(
    ([name, needs]) =>
      code.includes(`"${name}"`) && !Object.keys(environment).some((setting) => needs.test(setting)),
  ).map(([name]) => name);
}

/** What is wrong with a function's package, in words; empty when nothing is. */
export function packageFaults(packaged: Packaged): readonly string[] {
  const { name, zip, files } = packaged;
  const largest = name === 'receive-alert' ? LARGEST_ZIP['receive-alert'] : LARGEST_ZIP.others;
  const size = zip.length / KIB;
  const others = [...files.keys()].filter((file) => !file.endsWith('.mjs'));
  const mapped = [...files.values()].some((code) => /\/\/# sourceMappingURL=/.test(code));
  const unused = unusedClients(packaged);
  return [
    ...(size > largest ? [`${size.toFixed(0)} KiB are more than ${largest}`] : []),
    ...(others.length > 0 ? [`holds ${others.join(', ')}`] : []),
    ...(mapped ? ['holds a source map'] : []),
    ...(unused.length > 0 ? [`holds clients that it does not use: ${unused.join(', ')}`] : []),
  ];
}

/** One line for each function, the largest first. */
export function sizeTable(functions: readonly Packaged[]): string {
  return markdownTable([
    ['Function', 'Zip KiB', 'Code KiB', 'Faults'],
    ...functions
      .toSorted((a, b) => b.zip.length - a.zip.length)
      .map((each) => [
        each.name,
        (each.zip.length / KIB).toFixed(0),
        ([...each.files.values()].join('').length / KIB).toFixed(0),
        packageFaults(each).join('; ') || 'none',
      ]),
  ]);
}

/** One cold start, from the start of the process to the request for its first event. Milliseconds. */
export interface Init {
  readonly ms: number;
  /** CPU time of the process, which other work on the machine hardly changes. */
  readonly cpu: number;
}

/** Several cold starts of one function. */
export interface ColdStarts {
  readonly name: string;
  readonly init: readonly Init[];
}

/** One line for each function; what is ours is what it takes longer than the function that does nothing. */
export function initTable(empty: ColdStarts, functions: readonly ColdStarts[]): string {
  const base = medians(empty);
  const line = (each: ColdStarts) => {
    const { ms, cpu } = medians(each);
    return [
      each.name,
      ms.toFixed(0),
      Math.min(...each.init.map((one) => one.ms)).toFixed(0),
      (ms - base.ms).toFixed(0),
      (ms / base.ms).toFixed(1),
      cpu.toFixed(0),
      (cpu - base.cpu).toFixed(0),
    ];
  };
  return markdownTable([
    ['Function', 'Init ms, median', 'fastest', 'of it ours', 'times the empty one', 'CPU ms', 'of it ours'],
    ...functions.toSorted((a, b) => medians(b).ms - medians(a).ms).map(line),
    line(empty),
  ]);
}

/** Each function that is ready too late. */
export function slowStarts(functions: readonly ColdStarts[]): readonly string[] {
  return functions
    .filter((each) => !(medians(each).ms <= LONGEST_INIT))
    .map((each) => `${each.name}: ${medians(each).ms.toFixed(0)} ms are more than ${LONGEST_INIT}`);
}

const medians = ({ init }: ColdStarts): Init => ({
  ms: quantile(
    init.map(({ ms }) => ms),
    0.5,
  ),
  cpu: quantile(
    init.map(({ cpu }) => cpu),
    0.5,
  ),
});
