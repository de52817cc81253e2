/** A posted body as Rundeck's webhook sees it: read as Jackson reads it, printed as Groovy prints it. */

/** What Groovy's templates get; numbers are kept as Java would print them. */
export type PostedValue =
  | string
  | boolean
  | null
  | { readonly number: string }
  | readonly PostedValue[]
  | ReadonlyMap<string, PostedValue>;

/** A whole number keeps its digits; any other is a Java double, which prints 1e21 as 1.0E21. */
function javaNumber(text: string): string {
  if (/^-?\d+$/.test(text)) return text.replace(/^-0$/, '0');
  const value = Number(text);
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e7 || size < 1e-3)) {
    const [digits = '', exponent = '0'] = value.toExponential().split('e');
    return `${digits.includes('.') ? digits : `${digits}.0`}E${Number(exponent)}`;
  }
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

const TOKEN =
  /\s*(?:([{}[\],:])|("(?:[^"\\]|\\.)*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)|(true|false|null))/y;

/**
 * Reads the first JSON value of a text, which must be an object; what follows it is ignored, and of a repeated key the
 * last one counts. `undefined` when it is no JSON object; an empty text is an empty object.
 */
export function readPostedObject(text: string): ReadonlyMap<string, PostedValue> | undefined {
  if (text === '') return new Map();
  let at = 0;
  const next = (): readonly [kind: 'mark' | 'string' | 'number' | 'word', token: string] | undefined => {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (match === null) return undefined;
    at = TOKEN.lastIndex;
    if (match[1] !== undefined) return ['mark', match[1]];
    if (match[2] !== undefined) return ['string', match[2]];
    if (match[3] !== undefined) return ['number', match[3]];
    return ['word', match[4] ?? ''];
  };
  const fail = (): never => {
    throw new SyntaxError('no JSON');
  };
  const value = (token: ReturnType<typeof next>): PostedValue => {
    if (token === undefined) return fail();
    const [kind, content] = token;
    if (kind === 'string') return String(JSON.parse(content));
    if (kind === 'number') return { number: javaNumber(content) };
    if (kind === 'word') return content === 'null' ? null : content === 'true';
    if (content === '[') return list();
    return content === '{' ? object() : fail();
  };
  const list = (): PostedValue[] => {
    const items: PostedValue[] = [];
    let token = next();
    if (token?.[1] === ']' && token[0] === 'mark') return items;
    for (;;) {
      items.push(value(token));
      const after = next();
      if (after?.[0] !== 'mark') return fail();
      if (after[1] === ']') return items;
      if (after[1] !== ',') return fail();
      token = next();
    }
  };
  const object = (): Map<string, PostedValue> => {
    const fields = new Map<string, PostedValue>();
    let token = next();
    if (token?.[0] === 'mark' && token[1] === '}') return fields;
    for (;;) {
      if (token?.[0] !== 'string' || next()?.[1] !== ':') return fail();
      fields.set(String(JSON.parse(token[1])), value(next()));
      const after = next();
      if (after?.[0] !== 'mark') return fail();
      if (after[1] === '}') return fields;
      if (after[1] !== ',') return fail();
      token = next();
    }
  };
  try {
    const first = next();
    return first?.[0] === 'mark' && first[1] === '{' ? object() : undefined;
  } catch {
    return undefined;
  }
}

/** Prints a value as Groovy does inside a template: `[a, b c]`, `[x:1]`, and a missing one as the text `null`. */
export function printPosted(value: PostedValue | undefined): string {
  if (value === undefined || value === null) return 'null';
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  if (isMap(value)) return `[${[...value].map(([name, one]) => `${name}:${printPosted(one)}`).join(', ')}]`;
  if ('number' in value) return value.number;
  return `[${value.map(printPosted).join(', ')}]`;
}

export function isMap(value: PostedValue | undefined): value is ReadonlyMap<string, PostedValue> {
  return value instanceof Map;
}
