/** Zabbix item keys: `name[parameter,"quoted parameter",...]`, read conservatively. */

export interface ItemKey {
  readonly name: string;
  /** Unquoted, in order; an empty parameter is an empty text. */
  readonly parameters: readonly string[];
}

/**
 * Reads a key by Zabbix's syntax: spaces before a parameter are ignored, a backslash escapes a quote inside quotes and
 * nothing else, an array is one parameter. `undefined` for what Zabbix would not take, such as an open quote.
 */
export function parseItemKey(key: string): ItemKey | undefined {
  const bracket = key.indexOf('[');
  const name = bracket < 0 ? key : key.slice(0, bracket);
  if (!/^[0-9A-Za-z_.-]+$/.test(name)) return undefined;
  if (bracket < 0) return { name, parameters: [] };
  if (!key.endsWith(']')) return undefined;
  const parameters = splitParameters(key.slice(bracket + 1, -1));
  return parameters && { name, parameters };
}

/** One parameter: a quoted text, an array, or everything up to the next comma. */
const PARAMETER = / *(?:"((?:[^"\\]|\\.)*)" *|(\[[^[\]]*\]) *|([^,"[\]][^,\]]*)?)(,|$)/suy;

function splitParameters(text: string): readonly string[] | undefined {
  const parameters: string[] = [];
  PARAMETER.lastIndex = 0;
  for (;;) {
    const match = PARAMETER.exec(text);
    if (match === null) return undefined;
    const [, quoted, array, plain] = match;
    parameters.push(quoted?.replaceAll('\\"', '"') ?? array ?? plain ?? '');
    if (match[4] === '') return parameters;
  }
}
