/** The real ways to tell a human, each against a server of its kind, and the routing between them. */
import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { startFauxqs } from 'fauxqs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { type ChatFormat, chatFormatOf } from '#lib/adapters/chat.ts';
import { makeTellHuman, type PeopleSettings } from '#lib/adapters/people.ts';
import {
  escalation,
  hostile,
  type PeopleHarness,
  peopleContract,
  type Told,
} from '#test/contracts/people.contract.ts';
import { type HttpSink, openHttpSink } from '#test/fakes/http-sink.ts';
import { createMemoryPeople } from '#test/fakes/people-memory.ts';
import { openSmtpSink, type SmtpSink } from '#test/fakes/smtp-sink.ts';

const patience = 700;

peopleContract('fake', async () => {
  const people = createMemoryPeople();
  return {
    ...people,
    secrets: [],
    told: async () =>
      people.messages.map(({ subject, body, links }) => ({
        words: `${subject}\n${body}`,
        links: links.map(({ url }) => url),
      })),
    close: async () => undefined,
  };
});

const seen: Readonly<Record<ChatFormat, (body: string) => Told>> = {
  slack: slackSees,
  mattermost: mattermostSees,
  teams: teamsSees,
};

for (const format of ['slack', 'teams', 'mattermost'] as const)
  peopleContract(`chat (${format})`, () => openChat(format));

peopleContract('mail', async () => {
  const sink = await openSmtpSink();
  const tellHuman = makeTellHuman(
    {
      smtpUrl: sink.url,
      mailFrom: 'Remedia <remedia@example.com>',
      mailTo: 'night@example.com, ops@example.com',
    },
    { timeoutMs: patience },
  );
  return {
    tellHuman,
    secrets: [new URL(sink.url).host],
    told: async () => sink.mails.map(({ headers, text }) => mailSees(`${headers.get('subject')}\n${text}`)),
    become(mood) {
      sink.answerWith({ listen: '250 kept', refuse: '451 come back later', silent: undefined }[mood]);
    },
    close: () => sink.close(),
  };
});

peopleContract('topic', async () => {
  // A proxy of its own between, so that the queue service can be made to refuse or to be silent.
  const server = await startFauxqs({ port: 0, logger: false });
  const sink = await openHttpSink();
  const options = {
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  };
  const direct = new SNSClient({ ...options, endpoint: server.address });
  const queues = new SQSClient({ ...options, endpoint: server.address });
  const { TopicArn = '' } = await direct.send(new CreateTopicCommand({ Name: 'people' }));
  const { QueueUrl = '' } = await queues.send(new CreateQueueCommand({ QueueName: 'people' }));
  await direct.send(
    new SubscribeCommand({
      TopicArn,
      Protocol: 'sqs',
      Endpoint: 'arn:aws:sqs:us-east-1:000000000000:people',
    }),
  );
  let mood: Parameters<PeopleHarness['become']>[0] = 'listen';
  sink.answerWith(async ({ method, url, headers, body }) => {
    if (mood === 'silent') return undefined;
    if (mood === 'refuse') return { status: 503 };
    const answer = await fetch(`${server.address}${url}`, {
      method,
      body,
      headers: {
        'content-type': String(headers['content-type']),
        authorization: String(headers.authorization),
      },
    });
    return { status: answer.status, headers: { 'content-type': 'text/xml' }, body: await answer.text() };
  });
  const tellHuman = makeTellHuman(
    { topicArn: TopicArn },
    {
      timeoutMs: patience,
      snsClient: async () => new SNSClient({ ...options, endpoint: sink.url, maxAttempts: 1 }),
    },
  );
  return {
    tellHuman,
    secrets: [],
    told: async () => {
      const { Messages = [] } = await queues.send(
        new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 0 }),
      );
      // The emulator passes all forms on; SNS itself picks one for each subscription's protocol.
      return Messages.map(({ Body = '' }) => {
        const forms = z.object({ default: z.string(), sms: z.string().max(400) });
        return mailSees(
          forms.parse(JSON.parse(z.object({ Message: z.string() }).parse(JSON.parse(Body)).Message)).default,
        );
      });
    },
    become(next) {
      mood = next;
    },
    async close() {
      direct.destroy();
      queues.destroy();
      await sink.close();
      await server.stop();
    },
  };
});

describe('a topic that nobody is subscribed to', () => {
  async function prepare() {
    const server = await startFauxqs({ port: 0, logger: false });
    const room = await openHttpSink();
    const options = {
      endpoint: server.address,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    };
    const sns = new SNSClient(options);
    const { TopicArn = '' } = await sns.send(new CreateTopicCommand({ Name: 'empty' }));
    const logged: string[] = [];
    const surroundings = {
      timeoutMs: patience,
      snsClient: async () => sns,
      log: ({ channel, code }: { readonly channel: string; readonly code: string }) =>
        void logged.push(`${channel} ${code}`),
    };
    return {
      sns,
      topicArn: TopicArn,
      room,
      logged,
      teller: (settings: Parameters<typeof makeTellHuman>[0]) => makeTellHuman(settings, surroundings),
      stop: async () => {
        sns.destroy();
        await room.close();
        await server.stop();
      },
    };
  }

  it('takes the message, and nobody was told', async () => {
    const { teller, topicArn, logged, stop } = await prepare();
    await expect(teller({ topicArn })(escalation)).rejects.toMatchObject({ code: 'undeliverable' });
    expect(logged).toEqual(['topic nobody_subscribed']);
    await stop();
  });

  it('is no fault where a chat room took it', async () => {
    const { teller, topicArn, room, logged, stop } = await prepare();
    await teller({ topicArn, chatUrl: room.url })(escalation);
    expect(room.requests).toHaveLength(1);
    expect(logged).toEqual([]);
    await stop();
  });

  it('of a team hands its message to everybody’s channels', async () => {
    const { teller, topicArn, room, stop } = await prepare();
    const teams = JSON.stringify({ dba: { topic_arn: topicArn } });
    await teller({ teams, chatUrl: room.url })({ ...escalation, team: 'dba' });
    expect(room.requests).toHaveLength(1);
    await stop();
  });

  it('is believed where nobody may look', async () => {
    const { topicArn, sns, stop } = await prepare();
    const room = await openHttpSink();
    room.answerWith(({ body }) =>
      body.includes('GetTopicAttributes')
        ? { status: 403 }
        : { status: 200, body: '<PublishResponse><PublishResult/></PublishResponse>' },
    );
    const other = new SNSClient({
      endpoint: room.url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      maxAttempts: 1,
    });
    await makeTellHuman({ topicArn }, { timeoutMs: patience, snsClient: async () => other })(escalation);
    expect(room.requests).toHaveLength(2);
    other.destroy();
    sns.destroy();
    await room.close();
    await stop();
  });
});

describe('hostile text', () => {
  it.each(['slack', 'teams', 'mattermost'] as const)(
    'mentions nobody and links nothing in %s',
    async (format) => {
      const chat = await openChat(format);

      await chat.tellHuman(hostile);

      const [told] = await chat.told();
      expect(told?.links).toEqual(escalation.links.map(({ url }) => url));
      expect(told?.words).toContain('QUIT');
      await chat.close();
    },
  );

  it('adds no header, no recipient and no second command to a mail', async () => {
    const sink = await openSmtpSink();
    const tellHuman = makeTellHuman({
      smtpUrl: sink.url,
      mailFrom: 'remedia@example.com',
      mailTo: 'ops@example.com',
    });

    await tellHuman(hostile);

    expect(sink.mails).toHaveLength(1);
    const [mail] = sink.mails;
    expect(mail?.to).toEqual(['ops@example.com']);
    expect(mail?.headers.has('bcc')).toBe(false);
    expect(mail?.headers.has('x-evil')).toBe(false);
    expect(mail?.headers.get('subject')).toContain('web-01 <!channel> @here Bcc: everyone@victim.example');
    expect(mailSees(mail?.text ?? '').links).toEqual(escalation.links.map(({ url }) => url));
    expect(mail?.text).toContain('\n.\nQUIT\n');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(mail?.text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u202e]/);
    await sink.close();
  });

  it.each([
    ['mailTo', { mailTo: 'ops@example.com\r\nBcc: x@evil.example' }],
    ['mailFrom', { mailFrom: 'a\r\nBcc: x@evil.example' }],
  ] as const)('refuses a line break in the setting %s', (_, settings) => {
    expect(() =>
      makeTellHuman({
        smtpUrl: 'smtp://127.0.0.1:1',
        mailFrom: 'r@example.com',
        mailTo: 'o@example.com',
        ...settings,
      }),
    ).toThrow(/ESCALATION_MAIL_(TO|FROM)/);
  });
});

describe('several channels', () => {
  let chat: HttpSink;
  let team: HttpSink;
  let mail: SmtpSink;
  let settings: PeopleSettings;
  const failures: { channel: string; code: string; detail: string }[] = [];
  const log = (failure: (typeof failures)[number]) => {
    failures.push(failure);
  };
  beforeEach(async () => {
    [chat, team, mail] = await Promise.all([openHttpSink(), openHttpSink(), openSmtpSink()]);
    failures.length = 0;
    settings = {
      chatUrl: `${chat.url}/hooks/secret-of-all`,
      smtpUrl: mail.url,
      mailFrom: 'remedia@example.com',
      mailTo: 'ops@example.com',
      teams: JSON.stringify({
        web: { chat_url: `${team.url}/hooks/secret-of-web`, chat_format: 'slack' },
        dba: { mail_to: ['dba@example.com', 'dba2@example.com'] },
        empty: {},
      }),
    };
  });
  afterEach(() => Promise.all([chat.close(), team.close(), mail.close()]));

  it('tells by all of them', async () => {
    const { team: _, ...noTeam } = escalation;

    await makeTellHuman(settings, { log })(noTeam);

    expect([chat.requests.length, mail.mails.length, team.requests.length]).toEqual([1, 1, 0]);
    expect(failures).toEqual([]);
  });

  it('is content with one, and logs the other without its secret', async () => {
    chat.answerWith(() => ({ status: 404, body: 'no_team secret-of-all' }));

    await makeTellHuman(settings, { log })({ ...escalation, team: 'unknown' });

    expect(mail.mails).toHaveLength(1);
    expect(failures).toMatchObject([
      { channel: 'chat', code: 'refused', detail: expect.stringContaining('404') },
    ]);
    expect(JSON.stringify(failures)).not.toContain('secret-of');
  });

  it('routes to a team by its own channels alone', async () => {
    const tell = makeTellHuman(settings, { log });

    await tell(escalation);
    await tell({ ...escalation, team: 'dba' });
    await tell({ ...escalation, team: 'empty' });

    expect(team.requests).toHaveLength(1);
    expect(mail.mails.map(({ to }) => to)).toEqual([
      ['dba@example.com', 'dba2@example.com'],
      ['ops@example.com'],
    ]);
    expect(chat.requests).toHaveLength(1);
  });

  it("falls back to everyone's channels when the team cannot be reached", async () => {
    team.answerWith(() => ({ status: 500 }));

    await makeTellHuman(settings, { log })(escalation);

    expect([chat.requests.length, mail.mails.length]).toEqual([1, 1]);
    expect(failures).toMatchObject([{ channel: 'web: chat' }]);
  });

  it('fails when none took it: for now, as long as one of them may take it later', async () => {
    chat.answerWith(() => ({ status: 404 }));
    mail.answerWith('451 come back later');
    const tell = makeTellHuman(settings, { log });

    await expect(tell({ ...escalation, team: 'unknown' })).rejects.toMatchObject({
      upstream: 'people',
      code: 'undeliverable',
      retry: true,
    });

    mail.answerWith('554 never');
    await expect(tell({ ...escalation, team: 'unknown' })).rejects.toMatchObject({ retry: false });
  });

  it('knows that nothing was sent when nobody listens', async () => {
    const { url } = chat;
    await chat.close();
    chat = await openHttpSink();

    await expect(makeTellHuman({ chatUrl: url })(escalation)).rejects.toMatchObject({
      sent: 'no',
      retry: true,
    });
  });

  it('does not follow a redirect', async () => {
    chat.answerWith(() => ({ status: 307, headers: { location: `${team.url}/elsewhere` } }));

    await expect(makeTellHuman({ chatUrl: chat.url })(escalation)).rejects.toMatchObject({ retry: false });
    expect(team.requests).toEqual([]);
  });

  it("believes a Teams connector's body more than its status", async () => {
    chat.answerWith(() => ({ status: 200, body: 'Webhook message delivery failed with error: 413' }));

    await expect(makeTellHuman({ chatUrl: chat.url, chatFormat: 'teams' })(escalation)).rejects.toMatchObject(
      {
        code: 'undeliverable',
      },
    );
  });
});

describe('settings', () => {
  it('without any channel the message fails for good', async () => {
    await expect(makeTellHuman({ chatUrl: '', teams: ' ' })(escalation)).rejects.toMatchObject({
      code: 'not_configured',
      sent: 'no',
      retry: false,
    });
  });

  it.each([
    [{ chatUrl: 'hooks.example.com/sEcReT' }, 'ESCALATION_CHAT_URL: expected a web address'],
    [{ chatUrl: 'https://x.example', chatFormat: 'sEcReT' }, 'ESCALATION_CHAT_FORMAT'],
    [{ smtpUrl: 'https://user:sEcReT@mail.example' }, 'ESCALATION_SMTP_URL: expected smtp:// or smtps://'],
    [{ mailTo: 'sEcReT' }, 'ESCALATION_MAIL_TO.0: expected a mail address'],
    [{ mailTo: 'a@example.com' }, 'ESCALATION_SMTP_URL: is needed to send mail'],
    [
      { mailTo: 'a@example.com', smtpUrl: 'smtp://mail.example' },
      'ESCALATION_MAIL_FROM: is needed to send mail',
    ],
    [{ topicArn: 'sEcReT' }, 'ESCALATION_TOPIC_ARN: expected the ARN of an SNS topic'],
    [{ teams: '{sEcReT' }, 'ESCALATION_TEAMS: expected JSON'],
    [{ teams: '{"web":{"chat_url":"sEcReT"}}' }, 'ESCALATION_TEAMS.web.chat_url: expected a web address'],
    [{ teams: '{"web":{"sEcReT":1}}' }, 'ESCALATION_TEAMS.web: has a key that is not known'],
  ])('%j is refused by name, without its value', (settings, sentence) => {
    expect(() => makeTellHuman(settings)).toThrow(sentence);
    expect(() => makeTellHuman(settings)).not.toThrow(/sEcReT/);
  });

  it.each([
    ['https://hooks.slack.com/services/T/B/x', 'slack'],
    ['https://x.webhook.office.com/webhookb2/1', 'teams'],
    ['https://prod-01.westeurope.logic.azure.com:443/workflows/1', 'teams'],
    ['https://chat.example.com/hooks/1', 'mattermost'],
    ['https://hooks.slack.com.evil.example/1', 'mattermost'],
    ['no address', 'mattermost'],
  ])('%s is taken for %s', (url, format) => {
    expect(chatFormatOf(url)).toBe(format);
  });
});

async function openChat(format: ChatFormat): Promise<PeopleHarness> {
  const sink = await openHttpSink();
  const accepted: string[] = [];
  const become: PeopleHarness['become'] = (mood) => {
    if (mood === 'silent') sink.answerWith(() => undefined);
    else if (mood === 'refuse') sink.answerWith(() => ({ status: 503, body: 'xoxb-token' }));
    else
      sink.answerWith(({ body }) => {
        accepted.push(body);
        return { status: 200, body: 'ok' };
      });
  };
  become('listen');
  return {
    tellHuman: makeTellHuman(
      { chatUrl: `${sink.url}/hooks/xoxb-token`, chatFormat: format },
      { timeoutMs: patience },
    ),
    secrets: ['xoxb-token', new URL(sink.url).host],
    told: async () => accepted.map(seen[format]),
    become,
    close: () => sink.close(),
  };
}

/** Slack's own rules: `<…>` is a link or a mention, everything else is read after unescaping. */
function slackSees(body: string): Told {
  const message = z
    .object({
      text: z.string(),
      blocks: z.array(
        z.object({
          text: z.object({
            type: z.literal('mrkdwn'),
            verbatim: z.literal(true),
            text: z.string().max(3000),
          }),
        }),
      ),
    })
    .parse(JSON.parse(body));
  expect(message.text).not.toMatch(/[<>]/);
  const text = message.blocks.map((block) => block.text.text).join('\n');
  const tokens = [...text.matchAll(/<([^<>|]*)\|?[^<>]*>/g)].map((match) => match[1] ?? '');
  expect(tokens.filter((token) => /^[!@#]/.test(token))).toEqual([]);
  return { words: unescapeHtml(text), links: tokens.map(unescapeHtml) };
}

/** Mattermost: code blocks are literal, outside of them Markdown links and names with @ count; `<!` counts anywhere. */
function mattermostSees(body: string): Told {
  const { text } = z.object({ text: z.string() }).parse(JSON.parse(body));
  const [head = '', inside = '', tail = '', ...more] = text.split('```');
  expect(more).toEqual([]);
  expect(text).not.toMatch(/<[!@]/);
  expect(head + tail).not.toMatch(/(^|[^\w])@\w/);
  const links = [...(head + tail).matchAll(/\]\(([^)\s]*)\)|(?<!\]\()(https?:\/\/\S+)/g)].map(
    (match) => match[1] ?? match[2] ?? '',
  );
  return { words: head + inside, links };
}

/** Teams: only actions and Markdown in text blocks can be clicked; runs are literal; mentions need an `entities` list. */
function teamsSees(body: string): Told {
  const run = z.strictObject({
    type: z.literal('TextRun'),
    text: z.string().min(1),
    weight: z.string().optional(),
    size: z.string().optional(),
    color: z.string().optional(),
  });
  const card = z
    .object({
      attachments: z.tuple([
        z.object({
          content: z.object({
            msteams: z.strictObject({ width: z.string() }),
            body: z.array(
              z.strictObject({
                type: z.literal('RichTextBlock'),
                spacing: z.string(),
                inlines: z.tuple([run]),
              }),
            ),
            actions: z.array(
              z.strictObject({ type: z.literal('Action.OpenUrl'), title: z.string(), url: z.string() }),
            ),
          }),
        }),
      ]),
    })
    .parse(JSON.parse(body)).attachments[0].content;
  expect(Buffer.byteLength(body)).toBeLessThan(28_000);
  return {
    words: card.body.map(({ inlines: [{ text }] }) => text).join('\n'),
    links: card.actions.map(({ url }) => url),
  };
}

/** A mail program makes links of whatever looks like one. */
function mailSees(text: string): Told {
  return {
    words: text,
    links: [...text.matchAll(/\b(?:https?:\/\/|www\.|mailto:)\S+/gi)].map(([link]) => link),
  };
}

function unescapeHtml(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}
