/** People who hear everything: the in-memory sender that the workflows are tested with. */
import type { HumanMessage } from '#lib/core/incident.ts';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import type { TellHuman } from '#lib/workflow/ports.ts';

export interface MemoryPeople {
  readonly tellHuman: TellHuman;
  readonly messages: readonly HumanMessage[];
  /** `refuse`: nothing arrives; `silent`: it is not known whether it arrived; `listen`: as it should be. */
  become(mood: 'listen' | 'refuse' | 'silent'): void;
}

export function createMemoryPeople(): MemoryPeople {
  const messages: HumanMessage[] = [];
  let mood: 'listen' | 'refuse' | 'silent' = 'listen';
  return {
    messages,
    become(next) {
      mood = next;
    },
    async tellHuman(message) {
      if (mood === 'listen') messages.push(structuredClone(message));
      else
        throw new UpstreamError('people', 'undeliverable', 'no channel took the message', {
          sent: mood === 'refuse' ? 'yes' : 'unknown',
          retry: true,
        });
    },
  };
}
