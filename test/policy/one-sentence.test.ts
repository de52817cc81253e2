import { describe, expect, it } from 'vitest';
import { oneSentence } from '#lib/core/one-sentence.ts';

describe('oneSentence', () => {
  it.each([
    ['The disk is failing. Replace it now!', 'The disk is failing.'],
    ['Is nginx.service down? Yes.', 'Is nginx.service down?'],
    ['no end', 'no end'],
    ['', ''],
    ['two\nlines\u0000and\u202e a turn', 'two lines and a turn'],
    ['Log in at https://evil.example/x?y now.', 'Log in at [link] now.'],
    ['See www.evil.example or ftp://e.example', 'See [link] or [link]'],
  ])('%j becomes %j', (text, sentence) => {
    expect(oneSentence(text)).toBe(sentence);
  });

  it('is at most 300 characters long and never splits one', () => {
    const cut = oneSentence('😀'.repeat(400));

    expect([...cut]).toHaveLength(300);
    expect(cut.endsWith('😀…')).toBe(true);
  });
});
