/** What the operator's commands share: where they look, how they end, and that no text can command the terminal. */
import {
  createDynamoClient,
  createIncidentsTable,
  type IncidentsTable,
} from '#lib/adapters/incidents-table.ts';
import { loadSettings } from '#lib/runtime/environment.ts';

/** Ends with one sentence, and no stack. */
export function fail(...lines: readonly string[]): never {
  for (const line of lines) console.error(line);
  process.exit(1);
}

/** Texts of alerts, of a model and of queues may hold what a terminal would obey. */
export function say(text: string): void {
  console.log(text.replace(/(?!\n)[\p{Cc}\p{Bidi_Control}]/gu, '?'));
}

/** The incidents of this installation. */
export async function openTable(): Promise<IncidentsTable> {
  const { INCIDENTS_TABLE: tableName } = await loadSettings(['INCIDENTS_TABLE']);
  return createIncidentsTable({ client: createDynamoClient(), tableName });
}
