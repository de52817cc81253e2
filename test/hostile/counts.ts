/** The counts of a hostile run in one line, for whoever runs it. */
import type { Harm } from '#test/hostile/attack.ts';

export function inOneLine({ payloads, answers, acted, ordersObeyed, ...harm }: Harm): string {
  const answered = Object.entries(answers).map(([status, count]) => `${count} x ${status}`);
  return [
    `${payloads} hostile payloads (${answered.join(', ')}; the model obeyed ${ordersObeyed}, ${acted} led to a job)`,
    `${harm.crashes.length} crashes, ${harm.widened.length} widened actions, ${harm.leaks.length} secrets in logs or answers, ${harm.lost.length} lost`,
  ].join(': ');
}
