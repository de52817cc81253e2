/** Whether a trigger's name says that something is wrong now: a second opinion by words, beside that of a model. */
import type { JobToolName } from '#lib/catalogue/tool.ts';
import { unknownWords } from '#lib/core/filler-words.ts';
import { plain, spaced } from '#lib/core/plain-letters.ts';
import { hasRoom } from '#lib/core/room-words.ts';
import { APPOINTMENT, NO_DATA, NOT_NOW, SETTLED, SOMETHING_ELSE } from '#lib/core/words-against-trouble.ts';
import { ALARMING_SHARE, BUSY, CONSEQUENCE, DOWN, FULL } from '#lib/core/words-of-trouble.ts';

const ALL_DOWN = new RegExp(DOWN.source, `${DOWN.flags}g`);
const ALL_FULL = new RegExp(FULL.source, `${FULL.flags}g`);

const QUESTION = /[?¿]/u;
/** `TEST: nginx stopped`, `Disk full (test)`: somebody tries whether the alarm arrives. */
const TRIAL = /^\W*test(?:ing|owo)?(?:\W*$|[\]):]|\s+[-–—:])|[([]test[\])]|\btest\s*!*$/iu;
/** What is wrong is said in a few words. A longer name needs a reader, and nobody needs to read a story. */
const MOST_WORDS = 12;
const MOST_WORDS_READ = 14;

/**
 * What the words of a name say: `named`, that what the tool would mend is wrong now; `denied`, that it is a plan, over or
 * meant; `unnamed`, neither, for no list holds all words of all languages, or more than what is wrong takes to say.
 */
export type Trouble = 'named' | 'unnamed' | 'denied';

/**
 * What the name says of that which the tool would mend. What is wrong must stand in its first `clause`, for what follows may
 * be anybody's; that it is planned, over or meant may stand anywhere in the `whole`. Of a template's trigger only the second
 * is asked: what it is about, its tags say. `own` is what the alert's host, key and tags say: those words are known.
 */
export function troubleIn(
  { whole, clause, own }: { readonly whole: string; readonly clause: string; readonly own: string },
  { tool, tagged }: { readonly tool: JobToolName; readonly tagged: boolean },
): Trouble {
  const all = plain(whole);
  const first = plain(clause);
  const known = plain(own);
  if (QUESTION.test(all) || NOT_NOW.test(all) || NO_DATA.test(first)) return 'denied';
  if (tagged) return 'named';
  if (SETTLED.test(all) || TRIAL.test(all)) return 'denied';
  if (tool === 'cleanup_disk' && hasRoom(all)) return 'denied';
  if (isAboutElse(all, tool, known)) return 'denied';
  if (tool !== 'analyze_processes' && (APPOINTMENT.test(all) || wordsOf(all) > MOST_WORDS_READ))
    return 'denied';
  // Of two numbers the second is most likely what a setting became.
  const full = FULL.test(first) || (ALARMING_SHARE.test(all) && numbersOf(all) < 2);
  if (tool === 'analyze_processes') return full || BUSY.test(first) ? 'named' : 'unnamed';
  const wrong = tool === 'cleanup_disk' ? full : DOWN.test(first);
  if (!wrong) return 'unnamed';
  const said = withoutConsequences(withShareInLine(all), tool);
  if (explains(said, tool, known)) return 'denied';
  if (!isUnderstood(said, tool, known)) {
    // Full may be a tape, a mailbox or a quota, and a model that reads "full" is as sure of these.
    return tool === 'cleanup_disk' && FULL.test(first) ? 'denied' : 'unnamed';
  }
  return wordsOf(all) > MOST_WORDS ? 'unnamed' : 'named';
}

/**
 * Whether few enough words of a name are unknown. Before what is wrong they are most likely its subject ("town hall web proxy
 * dead"), behind it they are what explains it; in front of a colon they are somebody's label. Of 1,197 custom names with a word for trouble
 * and a right action, 41 have more, and of 69 that mislead in spite of all other words here, 61.
 */
function isUnderstood(text: string, tool: JobToolName, own: string): boolean {
  const [all, wrong] = tool === 'cleanup_disk' ? [ALL_FULL, FULL] : [ALL_DOWN, DOWN];
  const unknown = (part: string) => unknownWords(part.replaceAll(all, ' '), own).length;
  const [whole = '', start = ''] = /^([^:]{2,40})(?<!(?:^|\s)[A-Za-z]):\s+(?=\S)/.exec(text) ?? [];
  const label = wrong.test(start) ? '' : start;
  const rest = label === '' ? text : text.slice(whole.length);
  const begin = Math.max(rest.search(wrong), 0);
  const labelled = unknown(label);
  const before = unknown(rest.slice(0, begin));
  const behind = unknown(rest.slice(begin));
  if (behind > 0) return behind === 1 && labelled + before === 0;
  return tool === 'cleanup_disk'
    ? (labelled <= 1 && before <= 1) || (labelled === 2 && before === 0)
    : before + 2 * labelled <= 2;
}

/**
 * Whether something follows what is wrong that is not wrong itself, and longer than a name or a number: who adds a clause
 * to "stopped" says why that is so ("stopped, the vendor is at it"), and then a restart is seldom the answer.
 */
function explains(text: string, tool: JobToolName, own: string): boolean {
  const parts = partsOf(text);
  const begin = parts.findIndex((part) => saysWrong(part, tool));
  return parts
    .slice(begin + 1)
    .some((part) => !saysWrong(part, tool) && (wordsOf(part) > 2 || unknownWords(part, own).length > 0));
}

/** What people are now without, whom a trigger's name may tell of too ("no invoices are printed"), is no explanation. */
function withoutConsequences(text: string, tool: JobToolName): string {
  return partsOf(text)
    .filter((part) => CONSEQUENCE.test(part) && !saysWrong(part, tool))
    .reduce((left, part) => left.replace(part, ''), text)
    .replace(/(?<![\s,;–—/|-])[\s,;–—/|-]+$/u, '');
}

function partsOf(text: string): readonly string[] {
  return text.split(/[,;()]|:\s|\s[-–—/|]+\s/u).map((part) => part.trim());
}

/** How full it is belongs to what is said of it also in parentheses, and no clause ends there. */
function withShareInLine(text: string): string {
  return text.replaceAll(/\(([<>=~]*\s?\d{1,3}(?:[.,]\d+)?\s?%)\)/gu, '$1');
}

function saysWrong(part: string, tool: JobToolName): boolean {
  return tool === 'cleanup_disk' ? FULL.test(part) || ALARMING_SHARE.test(part) : DOWN.test(part);
}

/** Whether a custom name is about something that the service or the application has, and not about it. */
function isAboutElse(text: string, tool: JobToolName, own: string): boolean {
  const [other] = SOMETHING_ELSE[tool]?.exec(text) ?? [];
  return other !== undefined && !withSpaces(own).includes(withSpaces(other));
}

/** `zabbix-agent` is the Zabbix agent. */
function withSpaces(text: string): string {
  return text.toLowerCase().replaceAll(/[-_ ]+/g, ' ');
}

function numbersOf(text: string): number {
  return (
    text.replace(/^[^:]{2,40}:\s/, '').match(/(?<=^|[\s(>=<])\d+(?:[.,]\d+)?(?=\s*%|\s|$|[),;:])/gu)
      ?.length ?? 0
  );
}

/** A path, a drive and a number are no words. */
function wordsOf(text: string): number {
  return spaced(text)
    .split(/[\s,;()]+|:(?=\s)/u)
    .filter((word) => /\p{L}/u.test(word) && !/^[/\\]|^\p{L}:/u.test(word)).length;
}

/** Whether a name says that something is too much or too slow, and nothing that has failed. */
export function namesStrain(text: string): boolean {
  const name = plain(text);
  return (BUSY.test(name) || FULL.test(name)) && !DOWN.test(name) && !/\berrors?\b/i.test(name);
}
