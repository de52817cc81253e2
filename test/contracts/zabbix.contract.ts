/** What Remedia needs of a Zabbix, from the fake, from the adapter, and from the adapter before a real server. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import type { CommentEvent, HostQuestion, ReadEvent, ReadHostContext } from '#lib/workflow/ports.ts';
import type { EventComment } from '#test/fakes/zabbix-memory.ts';

export interface ZabbixHarness {
  readonly readEvent: ReadEvent;
  readonly commentEvent: CommentEvent;
  readonly readHostContext: ReadHostContext;
  /** What is asked about the host of an event; without its past. */
  question(eventId: string): Omit<HostQuestion, 'past'>;
  openProblem(): Promise<string>;
  /** Resolves when Zabbix itself has noticed. */
  recover(eventId: string): Promise<void>;
  comments(eventId: string): Promise<readonly EventComment[]>;
  close(): Promise<void>;
}

export function zabbixContract(name: string, open: () => Promise<ZabbixHarness>): void {
  describe(`Zabbix: ${name}`, () => {
    let zabbix: ZabbixHarness;
    beforeAll(async () => {
      zabbix = await open();
    });
    afterAll(() => zabbix?.close());

    it('tells a problem, its recovery and an event that is not there apart', async () => {
      const eventId = await zabbix.openProblem();

      const before = await zabbix.readEvent(eventId);
      await zabbix.recover(eventId);
      const after = await zabbix.readEvent(eventId);

      expect(before).toEqual({ kind: 'problem' });
      expect(after).toEqual({ kind: 'recovered', at: expect.any(Number) });
      expect(new Date('at' in after ? after.at : 0).getUTCFullYear()).toBeGreaterThan(2020);
      expect(await zabbix.readEvent('999999999')).toEqual({ kind: 'not_found' });
    });

    it('says how event and host stand, and whether somebody took it over', async () => {
      const eventId = await zabbix.openProblem();
      const question = zabbix.question(eventId);
      const stands = {
        at: expect.any(Number),
        acknowledged: false,
        suppressed: 'no',
        host: 'monitored',
        maintenance: false,
        reachable: expect.stringMatching(/^(yes|unknown)$/),
      };

      const open = await zabbix.readHostContext(question);
      await zabbix.commentEvent(eventId, 'I am at it', { acknowledge: true });
      const taken = await zabbix.readHostContext(question);
      await zabbix.recover(eventId);
      const over = await zabbix.readHostContext(question);

      expect(open).toEqual({ ...stands, event: 'problem' });
      expect(taken).toEqual({ ...stands, event: 'problem', acknowledged: true });
      expect(over).toEqual({
        ...stands,
        event: 'recovered',
        recoveredAt: expect.any(Number),
        acknowledged: true,
      });
      expect(await zabbix.readHostContext({ ...question, eventId: '999999999' })).toMatchObject({
        event: 'unknown',
        acknowledged: false,
        suppressed: 'no',
      });
    });

    it('counts the other open problems of the host, and those of the trigger, when it is asked to', async () => {
      const [eventId, other] = [await zabbix.openProblem(), await zabbix.openProblem()];
      const past = { problemsSince: 0, valuesSince: 0 };
      const ask = () => zabbix.readHostContext({ ...zabbix.question(eventId), past });

      const two = await ask();
      await zabbix.recover(other);
      const one = await ask();
      await zabbix.recover(eventId);

      expect(two.sameTriggerProblems).toBeGreaterThan(0);
      expect(two.otherProblems).toBe((one.otherProblems ?? 0) + 1);
    });

    it('comments, and acknowledges only when asked to', async () => {
      const eventId = await zabbix.openProblem();

      await zabbix.commentEvent(eventId, 'decided: restart_service\n"nginx" — ünïcode', {
        acknowledge: false,
      });
      await zabbix.commentEvent(eventId, 'verified', { acknowledge: true });
      await zabbix.recover(eventId);
      await zabbix.commentEvent(eventId, 'after the end', { acknowledge: false });

      expect(await zabbix.comments(eventId)).toEqual([
        { message: 'decided: restart_service\n"nginx" — ünïcode', acknowledged: false },
        { message: 'verified', acknowledged: true },
        { message: 'after the end', acknowledged: false },
      ]);
    });

    it.each([
      ['too long', 'x'.repeat(5000), /^x{2000,}…?$/],
      ['empty', ' ', /no text/],
    ])('makes a comment that is %s acceptable', async (_, message, expected) => {
      const eventId = await zabbix.openProblem();

      await zabbix.commentEvent(eventId, message, { acknowledge: false });
      await zabbix.recover(eventId);

      const [comment] = await zabbix.comments(eventId);
      expect(comment?.message).toMatch(expected);
      expect(comment?.message.length).toBeLessThanOrEqual(2048);
    });

    it('says that a comment on an event that is not there fails for good', async () => {
      const failure = await zabbix
        .commentEvent('999999999', 'x', { acknowledge: false })
        .catch((error: unknown) => error);

      expect(failure).toBeInstanceOf(UpstreamError);
      expect(failure).toMatchObject({ upstream: 'zabbix', code: 'denied', sent: 'yes', retry: false });
    });
  });
}
