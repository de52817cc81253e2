/** Rundeck's node filters: how a filter is read, and which nodes it chooses. */
import { splitArguments } from './arguments.ts';

/** A node with its attributes; `tags` is a list separated by commas. */
export interface Node {
  readonly nodename: string;
  readonly hostname?: string;
  readonly tags?: string;
  readonly [attribute: string]: string | undefined;
}

export interface NodeFilter {
  readonly include: Readonly<Record<string, string>>;
  readonly exclude: Readonly<Record<string, string>>;
}

/** Reads a filter as NodeSet.parseFilter does: a repeated key is joined by a comma, a bare word is a name. */
export function parseNodeFilter(filter: string): NodeFilter {
  const include: Record<string, string> = {};
  const exclude: Record<string, string> = {};
  let key: string | undefined;
  for (const word of splitArguments(filter)) {
    let value = word;
    if (key === undefined && word.endsWith(':')) {
      key = word.slice(0, -1);
      continue;
    }
    if (key === undefined && word.includes(':')) {
      const cut = word.indexOf(':');
      key = word.slice(0, cut);
      value = word.slice(cut + 1);
    }
    key ??= 'name';
    const set = key.startsWith('!') ? exclude : include;
    const name = key.replace(/^!/, '');
    set[name] = set[name] === undefined ? value : `${set[name]},${value}`;
    key = undefined;
  }
  return { include, exclude };
}

/** A selector is a regular expression over the whole value, or the value itself; `/…/` is an expression only. */
function matchesOne(selector: string, value: string): boolean {
  const explicit = /^\/(.*)\/$/s.exec(selector)?.[1];
  try {
    if (new RegExp(`^(?:${(explicit ?? selector).trim()})$`).test(value)) return true;
  } catch {
    // An expression that does not compile is compared as text.
  }
  return explicit === undefined && selector.trim() === value;
}

function matchesAttribute(selector: string, value: string | undefined): boolean {
  if (value === undefined || value.trim() === '' || selector.trim() === '') return false;
  return matchesOne(selector, value) || selector.split(',').includes(value);
}

function matchesTags(selector: string, tags: readonly string[]): boolean {
  return selector
    .split(',')
    .some((clause) =>
      clause.split('+').every((wanted) => tags.some((tag) => matchesOne(wanted.trim(), tag))),
    );
}

function matchesAll(selectors: Readonly<Record<string, string>>, node: Node): boolean {
  const tags = (node.tags ?? '')
    .split(',')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '');
  const entries = Object.entries(selectors);
  return (
    entries.length > 0 &&
    entries.every(([key, selector]) =>
      key === 'tags'
        ? matchesTags(selector, tags)
        : matchesAttribute(selector, key === 'name' ? node.nodename : node[key]),
    )
  );
}

/** The nodes that a filter chooses, by name; an empty filter chooses none. */
export function chooseNodes(filter: string, nodes: readonly Node[]): readonly Node[] {
  const { include, exclude } = parseNodeFilter(filter);
  const hasInclude = Object.keys(include).length > 0;
  const hasExclude = Object.keys(exclude).length > 0;
  if (!hasInclude && !hasExclude) return [];
  return nodes
    .filter(
      (node) => (!hasInclude || matchesAll(include, node)) && !(hasExclude && matchesAll(exclude, node)),
    )
    .toSorted((a, b) => (a.nodename < b.nodename ? -1 : 1));
}
