/** A Zabbix that is a few maps: for the workflows' tests, which need events, comments and failures. */
import type { HostContext } from '#lib/core/host-context.ts';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import type { Clock, CommentEvent, EventStatus, ReadEvent, ReadHostContext } from '#lib/workflow/ports.ts';

export interface EventComment {
  readonly message: string;
  readonly acknowledged: boolean;
}

export interface MemoryZabbix {
  readonly readEvent: ReadEvent;
  readonly commentEvent: CommentEvent;
  readonly readHostContext: ReadHostContext;
  openProblem(eventId: string): void;
  recover(eventId: string, at: number): void;
  /** What it says of every host and event from now on, besides what it knows of the event. */
  tells(what: Partial<HostContext>): void;
  comments(eventId: string): readonly EventComment[];
  become(mood: 'well' | 'down'): void;
}

export function createMemoryZabbix(clock: Clock = Date.now): MemoryZabbix {
  const events = new Map<string, { status: EventStatus; comments: EventComment[] }>();
  let mood: 'well' | 'down' = 'well';
  let told: Partial<HostContext> = {};
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
    async readHostContext({ eventId, past }) {
      answering();
      const { kind, ...rest } = events.get(eventId)?.status ?? { kind: 'not_found' };
      return {
        at: clock(),
        event: kind === 'not_found' ? 'unknown' : kind,
        ...('at' in rest && { recoveredAt: rest.at }),
        acknowledged: events.get(eventId)?.comments.some(({ acknowledged }) => acknowledged) ?? false,
        suppressed: 'no',
        host: 'monitored',
        maintenance: false,
        reachable: 'yes',
        ...(past !== undefined && {
          otherProblems: [...events].filter(([id, { status }]) => id !== eventId && status.kind === 'problem')
            .length,
          sameTriggerProblems: 1,
        }),
        ...told,
      };
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
    tells(what) {
      told = what;
    },
    comments: (eventId) => events.get(eventId)?.comments ?? [],
    become(next) {
      mood = next;
    },
  };
}
