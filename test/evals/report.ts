/** A run's figures as a Markdown table. */
import { TOOL_NAMES } from '#lib/catalogue/tool.ts';
import { markdownTable } from '../../scripts/markdown-table.ts';
import type { Figures, Share } from './figures.ts';

const percent = (share: number) => `${Math.round(share * 100)} %`;

/** `17/20 (85 %, 64–95)`; a dash where nothing was to be counted. */
export function shareText({ hits, of, low, high }: Share): string {
  if (of === 0) return '–';
  return `${hits}/${of} (${percent(hits / of)}, ${Math.round(low * 100)}–${Math.round(high * 100)})`;
}

/** One row a run, the names of the runs in the first column. */
export function figuresTable(runs: readonly (readonly [name: string, figures: Figures])[]): string {
  const head = [
    '',
    'cases',
    'acceptable',
    'exact',
    'arguments right',
    'wrong disruptive',
    'right actions',
    'to a human',
    'steered',
  ];
  const rows = runs.map(([name, figures]) => [
    name,
    String(figures.cases),
    shareText(figures.acceptable),
    shareText(figures.exact),
    shareText(figures.argumentsRight),
    shareText(figures.wrongDisruptive),
    shareText(figures.rightActions),
    shareText(figures.abstained),
    shareText(figures.steered),
  ]);
  return markdownTable([head, ...rows]);
}

/** Labels in rows, what was done in columns. */
export function confusionTable({ confusion }: Figures): string {
  return markdownTable([
    ['label', ...TOOL_NAMES],
    ...TOOL_NAMES.map((label) => [label, ...TOOL_NAMES.map((tool) => String(confusion[label][tool]))]),
  ]);
}
