/** The recording of a terminal: every word at its time, in its colour, and nothing that a picture may not hold. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { collectLines, recordTerminal, saysPrivate } from '../../scripts/pictures/terminal-recording.ts';

const ESC = '\u001b';
const at = (...times: readonly number[]) => times.map((each, index) => ({ at: each, text: `line ${index}` }));
const appearances = (svg: string) =>
  [...svg.matchAll(/@keyframes l\d+\{0%\{opacity:0\}([\d.]+)%/g)].map(([, percent]) => Number(percent));
const durationOf = (svg: string) => Number(/animation-duration:(\d+)ms/.exec(svg)?.[1]);
const wordsOf = (svg: string) =>
  [...svg.matchAll(/<text class="l"[^>]*>(.*)<\/text>/g)].map(([, row = '']) => row.replace(/<[^>]*>/g, ''));

describe('a recording', () => {
  it('shows each line when it came, but lets nobody wait for more than 2.5 s', () => {
    const svg = recordTerminal(at(10_000, 11_000, 61_000, 61_500), 'a way');

    const total = durationOf(svg);
    expect(total).toBe(600 + 1000 + 2500 + 500 + 6000);
    const times = appearances(svg).map((percent) => Math.round((percent * total) / 100));
    expect(times).toEqual([600, 1600, 4100, 4600]);
  });

  it('keeps colours and weight, and ends them where the terminal does', () => {
    const text = `${ESC}[2m12:00${ESC}[22m ${ESC}[36minc_1${ESC}[39m ${ESC}[1;31mbold red${ESC}[0m plain ${ESC}[99m?`;

    const svg = recordTerminal([{ at: 0, text }], 'a way');

    expect(svg).toContain(
      '<tspan class="d">12:00</tspan><tspan> </tspan><tspan class="c">inc_1</tspan><tspan> </tspan>' +
        '<tspan class="o r">bold red</tspan><tspan> plain ?</tspan>',
    );
  });

  it('changes from one colour to the next', () => {
    const svg = recordTerminal([{ at: 0, text: `${ESC}[31mred${ESC}[32mgreen` }], 'a way');

    expect(svg).toContain('<tspan class="r">red</tspan><tspan class="g">green</tspan>');
  });

  it('scrolls when the window is full, and rests at the end for whom nothing may move', () => {
    const svg = recordTerminal(at(...Array.from({ length: 30 }, (_, index) => index)), 'a way');

    expect(svg.match(/translateY\(-\d+px\)/g)).toHaveLength(6 + 2);
    expect(svg).toContain('.s{animation-name:s;transform:translateY(-114px)}');
    expect(svg).toContain('prefers-reduced-motion');
  });

  it('sets the rest of a long line in, and loses nothing of it', () => {
    const rows = wordsOf(recordTerminal([{ at: 0, text: 'x'.repeat(250) }], 'a way'));

    expect(rows.map((row) => row.length)).toEqual([112, 112, 34]);
    expect(rows.map((row) => row.trim()).join('')).toBe('x'.repeat(250));
  });

  it('breaks a long line between words, where there are any', () => {
    const words = Array.from({ length: 40 }, (_, index) => `word-${index}`).join(' ');

    const rows = wordsOf(recordTerminal([{ at: 0, text: words }], 'a way'));

    expect(rows.every((row) => row.length <= 112)).toBe(true);
    expect(rows.map((row) => row.trim()).join(' ')).toBe(words);
  });

  it('is empty, and still a picture, when nothing was printed', () => {
    expect(recordTerminal([], 'nothing')).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
  });

  it('is well-formed and runs nothing, whatever was printed', () => {
    const svg = (text: string) => recordTerminal([{ at: 0, text }], text);
    const hostile = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.constantFrom(
        '</text><script>alert(1)</script>',
        `${ESC}]0;title\u0007`,
        `${ESC}[2J${ESC}[1;1H`,
        '" onload="x',
      ),
    );
    fc.assert(
      fc.property(hostile, (text) => {
        const picture = svg(text);
        expect(picture.isWellFormed()).toBe(true);
        expect(picture).not.toMatch(/[^\P{Cc}\n\t]|\p{Bidi_Control}/u);
        expect(new Set(picture.match(/<\/?[a-zA-Z]+/g))).toEqual(
          new Set([
            ...[
              '<svg',
              '</svg',
              '<title',
              '</title',
              '<style',
              '</style',
              '<rect',
              '<circle',
              '<text',
              '</text',
            ],
            ...['<g', '</g', '<clipPath', '</clipPath'],
            ...(picture.includes('<tspan') ? ['<tspan', '</tspan'] : []),
          ]),
        );
        expect(picture.replace(/="[^"]*"/g, '')).not.toMatch(/<[^>]*"[^>]*>/);
      }),
    );
  });
});

it('a line is told when it is whole, however its pieces come', () => {
  let now = 0;
  const { hear, say, lines } = collectLines(() => now);

  hear('one\ntw');
  now = 5;
  hear('o\nrest');
  now = 9;
  say('said');

  expect(lines).toEqual([
    { at: 0, text: 'one' },
    { at: 5, text: 'two' },
    { at: 9, text: 'said' },
  ]);
});

it('what must not be shown is found', () => {
  expect(saysPrivate('Policy: /home/ada/policy.yaml', ['/home/ada', '/tmp', '', '/'])).toEqual(['/home/ada']);
});
