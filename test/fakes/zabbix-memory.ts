/** A Zabbix that is a few maps: for the workflows' tests, which need events, comments and failures. */
import { UpstreamError } from '#lib/core/upstream-error.ts';
import type { CommentEvent, EventStatus, ReadEvent } from '#lib/workflow/ports.ts';

export interface EventComment {
  readonly message: string;
  readonly acknowledged: boolean;
}

export interface MemoryZabbix {
  readonly readEvent: ReadEvent;
  readonly commentEvent: CommentEvent;
  openProblem(eventId: string): void;
  recover(eventId: string, at: number): void;
  comments(eventId: string): readonly EventComment[];
  become(mood: 'well' | 'down'): void;
}

export function createMemoryZabbix(): MemoryZabbix {
  const events = new Map<string, { status: EventStatus; comments: EventComment[] }>();
  let mood: 'well' | 'down' = 'well';
  const answering = () => {
    if (mood === 'down')
      throw new UpstreamError('zabbix', 'refused', 'no connection (ECONNREFUSED)', {
        sent: 'no',
        retry: true,
      });
  };
  return {
    async readEvent(eventId) {
      answering();
      return events.get(eventId)?.status ?? { kind: 'not_found' };
    },
    async commentEvent(eventId, message, { acknowledge }) {
      answering();
      const event = events.get(eventId);
      if (!event)
        throw new UpstreamError('zabbix', 'denied', 'event.acknowledge: no such event', {
          sent: 'yes',
          retry: false,
        });
      event.comments.push({
        message: message.trim().slice(0, 2048) || '(no text)',
        acknowledged: acknowledge,
      });
    },
    openProblem(eventId) {
      events.set(eventId, { status: { kind: 'problem' }, comments: [] });
    },
    recover(eventId, at) {
      const event = events.get(eventId);
      if (event) event.status = { kind: 'recovered', at };
    },
    comments: (eventId) => events.get(eventId)?.comments ?? [],
    become(next) {
      mood = next;
    },
  };
}
