/** What a terminal printed, as an animated SVG: real words at their real times, without a script, in any browser. */

/** A line that was complete at `at` (milliseconds); it may hold the colours of a terminal. */
export interface PrintedLine {
  readonly at: number;
  readonly text: string;
}

interface Run {
  readonly text: string;
  readonly style: string;
}

const COLUMNS = 112;
const ROWS = 24;
const SET_IN: readonly Run[] = Array.from({ length: 4 }, () => ({ text: ' ', style: '' }));
/** A longer one is cut. */
const LONGEST_WORD = 40;
const LINE = 19;
const CHARACTER = 8.05;
const MARGIN = 16;
const BAR = 34;
/** Nobody waits longer for the next line, or to read the last one. */
const LONGEST_PAUSE_MS = 2_500;
const LAST_MS = 6_000;
const FIRST_MS = 600;

/** Select graphic rendition (ECMA-48 8.3.117), as far as this project's output uses it. */
const COLOURS: Readonly<Record<string, string>> = {
  31: 'r',
  32: 'g',
  33: 'y',
  34: 'b',
  35: 'm',
  36: 'c',
  90: 'd',
};
const SGR = /\p{Cc}\[([0-9;]*)m/u;
/** Any other sequence, or what is left of one; and what turns the writing direction. */
const UNSEEN = /\p{Cc}\[[0-9;?]*[A-Za-z]|\p{Cc}|\p{Bidi_Control}/gu;

/** The picture. Pauses of more than 2.5 s are shortened; it begins anew after it has been shown. */
export function recordTerminal(printed: readonly PrintedLine[], title: string): string {
  const shown = shownTimes(printed);
  const rows = printed.flatMap(({ text }, index) =>
    wrap(runsOf(text)).map((runs) => ({ runs, at: shown[index] ?? 0 })),
  );
  const total = (rows.at(-1)?.at ?? 0) + LAST_MS;
  const percent = (at: number) => `${((100 * at) / total).toFixed(3)}%`;
  const lines = rows.map(
    ({ runs }, index) =>
      `<text class="l" style="animation-name:l${index}" y="${(index + 1) * LINE}">${runs.map(spanOf).join('')}</text>`,
  );
  const appear = rows.map(
    ({ at }, index) => `@keyframes l${index}{0%{opacity:0}${percent(at)},100%{opacity:1}}`,
  );
  const scrolls = rows.flatMap(({ at }, index) =>
    index < ROWS ? [] : [`${percent(at)}{transform:translateY(${-(index - ROWS + 1) * LINE}px)}`],
  );
  const end = -Math.max(0, rows.length - ROWS) * LINE;
  const width = Math.ceil(COLUMNS * CHARACTER + 2 * MARGIN);
  const height = BAR + ROWS * LINE + MARGIN;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escapeXml(title)}">
<title>${escapeXml(title)}</title>
<style>
text{font:13.3px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#d7dae0;white-space:pre}
.o{font-weight:700}.d{fill:#8b929e}.r{fill:#ff7b72}.g{fill:#5ac88a}.y{fill:#e5b04c}.b{fill:#7db5ff}.m{fill:#d2a8ff}.c{fill:#6fd0d8}
.l,.s{animation-duration:${total}ms;animation-timing-function:step-end;animation-iteration-count:infinite}
.s{animation-name:s;transform:translateY(${end}px)}
@keyframes s{0%{transform:none}${scrolls.join('')}100%{transform:translateY(${end}px)}}
${appear.join('\n')}
@media (prefers-reduced-motion:reduce){.l,.s{animation:none}}
</style>
<rect width="100%" height="100%" rx="8" fill="#171a20"/>
<circle cx="20" cy="17" r="5.5" fill="#ff5f57"/><circle cx="38" cy="17" r="5.5" fill="#febc2e"/><circle cx="56" cy="17" r="5.5" fill="#28c840"/>
<text x="50%" y="21.5" text-anchor="middle" class="d">${escapeXml(title)}</text>
<clipPath id="window"><rect x="${MARGIN}" y="${BAR}" width="${width - 2 * MARGIN}" height="${ROWS * LINE + 6}"/></clipPath>
<g clip-path="url(#window)"><g transform="translate(${MARGIN} ${BAR})"><g class="s">
${lines.join('\n')}
</g></g></g>
</svg>
`;
}

/** When each line is shown, from the beginning of the recording. */
function shownTimes(printed: readonly PrintedLine[]): readonly number[] {
  let shown = FIRST_MS;
  return printed.map(({ at }, index) => {
    const before = printed[index - 1]?.at ?? at;
    shown += Math.min(LONGEST_PAUSE_MS, Math.max(0, at - before));
    return shown;
  });
}

/** The line as runs of one look each; every other control character is gone. */
function runsOf(text: string): readonly Run[] {
  const looks = new Set<string>();
  const runs: Run[] = [];
  // split() gives text and the codes of a sequence in turn.
  text.split(SGR).forEach((piece, index) => {
    if (index % 2 === 1) for (const code of piece.split(';')) look(looks, code);
    else runs.push({ text: piece.replace(UNSEEN, ''), style: [...looks].join(' ') });
  });
  return runs.filter((run) => run.text !== '');
}

function look(looks: Set<string>, code: string): void {
  const colour = COLOURS[code];
  const without = (...gone: readonly string[]) => {
    for (const each of gone) looks.delete(each);
  };
  if (colour !== undefined) {
    without(...Object.values(COLOURS));
    looks.add(colour);
  } else if (code === '1') looks.add('o');
  else if (code === '2') looks.add('d');
  else if (code === '22') without('o', 'd');
  else if (code === '39') without(...Object.values(COLOURS));
  else if (code === '0' || code === '') looks.clear();
}

/** Rows of at most so many characters, broken between words where that is possible; what goes on is set in. */
function wrap(runs: readonly Run[]): readonly (readonly Run[])[] {
  const letters = runs.flatMap(({ text, style }) =>
    [...text].map((letter): Run => ({ text: letter, style })),
  );
  const rows: Run[][] = [];
  let rest: readonly Run[] = letters;
  while (rest.length > COLUMNS) {
    const space = rest.slice(0, COLUMNS + 1).findLastIndex(({ text }) => text === ' ');
    const end = space > COLUMNS - LONGEST_WORD ? space : COLUMNS;
    rows.push(joined(rest.slice(0, end)));
    rest = [...SET_IN, ...rest.slice(end === space ? end + 1 : end)];
  }
  return [...rows, joined(rest)];
}

function joined(letters: readonly Run[]): Run[] {
  const runs: Run[] = [];
  for (const { text, style } of letters) {
    const last = runs.at(-1);
    if (last?.style === style) runs[runs.length - 1] = { text: last.text + text, style };
    else runs.push({ text, style });
  }
  return runs;
}

function spanOf({ text, style }: Run): string {
  return `<tspan${style === '' ? '' : ` class="${style}"`}>${escapeXml(text)}</tspan>`;
}

function escapeXml(text: string): string {
  return text
    .toWellFormed()
    .replace(UNSEEN, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** Collects what a program writes, in pieces of any size, into lines with the time at which each was complete. */
export function collectLines(clock: () => number): {
  readonly hear: (chunk: string) => void;
  readonly say: (line: string) => void;
  readonly lines: readonly PrintedLine[];
} {
  const lines: PrintedLine[] = [];
  let rest = '';
  const say = (text: string) => void lines.push({ at: clock(), text });
  return {
    lines,
    say,
    hear: (chunk) => {
      const whole = (rest + chunk).split('\n');
      rest = whole.pop() ?? '';
      for (const line of whole) say(line);
    },
  };
}

/** What of these words, such as this machine's folders, is in the text although it must not be shown. */
export function saysPrivate(text: string, words: readonly string[]): readonly string[] {
  return words.filter((word) => word.length > 1 && text.includes(word));
}
