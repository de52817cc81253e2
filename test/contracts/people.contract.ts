/** What every way to tell a human must do, the fake and the real ones alike. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HumanMessage } from '#lib/core/incident.ts';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import type { TellHuman } from '#lib/workflow/ports.ts';

/** What one person sees of one message: words, and what they can click. */
export interface Told {
  readonly words: string;
  readonly links: readonly string[];
}

export interface PeopleHarness {
  readonly tellHuman: TellHuman;
  /** What has arrived, in the order of arrival. */
  told(): Promise<readonly Told[]>;
  become(mood: 'listen' | 'refuse' | 'silent'): void;
  /** What must not be seen in an error, such as the token in an address. */
  readonly secrets: readonly string[];
  close(): Promise<void>;
}

export const escalation: HumanMessage = {
  kind: 'escalation',
  incidentId: 'inc_0123456789abcdef01234567',
  subject: 'web-01: nginx is not running — restart did not help',
  body: 'Problem: Service nginx is not running\nTried: restart_service (failed)\n\nWhat now: look at the journal.',
  severity: 4,
  team: 'web',
  priority: 'high',
  links: [{ title: 'Timeline', url: 'https://remedia.example/i/inc_0123?sig=a%2Bb&until=1' }],
};

export function peopleContract(name: string, open: () => Promise<PeopleHarness>): void {
  describe(`telling a human: ${name}`, () => {
    let people: PeopleHarness;
    beforeEach(async () => {
      people = await open();
    });
    afterEach(() => people.close());

    it('delivers subject, every line of the body, and the link', async () => {
      await people.tellHuman(escalation);

      const [told] = await people.told();
      for (const part of ['web-01: nginx is not running', 'restart_service (failed)', 'look at the journal'])
        expect(told?.words).toContain(part);
      expect(told?.links).toEqual(escalation.links.map(({ url }) => url));
    });

    it('delivers a message without links, team and priority', async () => {
      const { team: _, priority: __, ...bare } = escalation;

      await people.tellHuman({ ...bare, links: [] });

      const [told, ...more] = await people.told();
      expect(told?.words).toContain('nginx is not running');
      expect(told?.links).toEqual([]);
      expect(more).toEqual([]);
    });

    it('delivers words of any language and of great length', async () => {
      await people.tellHuman({
        ...escalation,
        subject: 'Düsk fûll 磁盘 💾',
        body: `é磁💾 ${'long '.repeat(20_000)}`,
      });

      const [told] = await people.told();
      expect(told?.words).toContain('é磁💾 long');
    });

    it('says that a refused message was not delivered, and keeps secrets to itself', async () => {
      people.become('refuse');

      const failure = await people.tellHuman(escalation).catch((error: unknown) => error);

      expect(failure).toBeInstanceOf(UpstreamError);
      expect(failure).toMatchObject({ upstream: 'people', retry: true });
      for (const secret of people.secrets) expect(String(failure)).not.toContain(secret);
      expect(await people.told()).toEqual([]);
    });

    it('does not wait for ever, and says that it does not know', async () => {
      people.become('silent');

      const failure = await people.tellHuman(escalation).catch((error: unknown) => error);

      expect(failure).toMatchObject({ upstream: 'people', sent: 'unknown', retry: true });
      for (const secret of people.secrets) expect(String(failure)).not.toContain(secret);
    });

    it('delivers the next message after a failure', async () => {
      people.become('refuse');
      await people.tellHuman(escalation).catch(() => undefined);
      people.become('listen');

      await people.tellHuman({ ...escalation, subject: 'second try' });

      expect((await people.told()).at(-1)?.words).toContain('second try');
    });
  });
}

/** A message in which everything that comes from an alert is an attack on the reader's program. */
export const hostile: HumanMessage = {
  ...escalation,
  subject: 'web-01 <!channel> @here\r\nBcc: everyone@victim.example\r\n\r\n<http://evil.example|Approve>',
  body: [
    '<!channel> <!here> <@U123> @channel @all @here <at>everyone</at>',
    '```',
    '<https://evil.example/a|click> [click](https://evil.example/b) http://evil.example/c www.evil.example',
    '<a href="https://evil.example/d">x</a> ![i](https://evil.example/e.png) mailto:x@evil.example',
    '.',
    'QUIT',
    '\u202edetrevni\u0007\u001b[31mred & <b>bold</b>',
  ].join('\r\n'),
  team: 'web\r\nX-Evil: 1',
  links: [
    ...escalation.links,
    { title: 'bad', url: 'javascript:alert(1)' },
    { title: 'worse', url: 'https://evil.example/|<!channel>' },
  ],
};
