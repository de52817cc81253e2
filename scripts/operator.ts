/** What the operator's commands share: where they look, and that no text can command the terminal. */
import { stripVTControlCharacters } from 'node:util';
import {
  createDynamoClient,
  createIncidentsTable,
  type IncidentsTable,
} from '#lib/adapters/incidents-table.ts';
import { loadSettings } from '#lib/runtime/environment.ts';
import { fail } from './command-line.ts';

/** One line, without what a terminal would obey: texts of alerts, of a model and of queues may hold such things. */
export function plain(text: string): string {
  return stripVTControlCharacters(text).replace(/[\p{Cc}\p{Bidi_Control}]/gu, '?');
}

/** Prints the text in a plain form; its lines remain. */
export function say(text: string): void {
  console.log(text.split('\n').map(plain).join('\n'));
}

/** `1 rule`, `2 rules`. */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** The incidents of this installation. Ends with 1 when nothing says where they are. */
export async function openTable(): Promise<IncidentsTable> {
  if (!process.env['INCIDENTS_TABLE'])
    fail('INCIDENTS_TABLE is missing, and no pipeline runs on this machine (npm start).');
  const { INCIDENTS_TABLE: tableName } = await loadSettings(['INCIDENTS_TABLE']);
  return createIncidentsTable({ client: createDynamoClient(), tableName });
}
