/** Tells a human, by every channel that is set up for the team: chat room, e-mail, SNS topic. */
import type { SNSClient } from '@aws-sdk/client-sns';
import * as z from 'zod';
import { CHAT_FORMATS, chatFormatOf, makeTellRoom } from '#lib/adapters/chat.ts';
import { makeTellMailbox } from '#lib/adapters/smtp.ts';
import { makeTellTopic, NOBODY_SUBSCRIBED } from '#lib/adapters/sns.ts';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import type { TellHuman } from '#lib/workflow/ports.ts';

/** The settings as they come from the environment; each may be absent or empty. */
export interface PeopleSettings {
  /** `ESCALATION_CHAT_URL`: an incoming webhook; a secret. */
  readonly chatUrl?: string | undefined;
  /** `ESCALATION_CHAT_FORMAT`: slack, teams or mattermost; guessed from the address by default. */
  readonly chatFormat?: string | undefined;
  /** `ESCALATION_SMTP_URL`: with user and password, if any; a secret. */
  readonly smtpUrl?: string | undefined;
  /** `ESCALATION_MAIL_FROM`. */
  readonly mailFrom?: string | undefined;
  /** `ESCALATION_MAIL_TO`: addresses, separated by commas. */
  readonly mailTo?: string | undefined;
  /** `ESCALATION_TOPIC_ARN`. */
  readonly topicArn?: string | undefined;
  /**
   * `ESCALATION_TEAMS`: JSON, `{"<team>": {"chat_url", "chat_format", "mail_to": [], "topic_arn"}}`. A team that names
   * any channel is told by its own alone; the rest, and those whose channels all fail, by the ones above. A team may
   * also name `rundeck_notify: {"url", "secret"}`: no channel, but what is told besides (see tell-by-job.ts).
   */
  readonly teams?: string | undefined;
}

export interface PeopleSurroundings {
  /** One failed channel among several; the detail holds no secret and no text of an alert. */
  readonly log?: (failure: {
    readonly incident_id?: string;
    readonly channel: string;
    readonly code: string;
    readonly detail: string;
  }) => void;
  /** For each channel; 10,000 by default. Channels are told at the same time. */
  readonly timeoutMs?: number;
  readonly snsClient?: () => Promise<SNSClient>;
}

interface Channel {
  readonly name: string;
  readonly tell: TellHuman;
}

const mailAddress = z.string().regex(/^[^\s<>,;"]{1,64}@[^\s<>,;"@]{1,255}$/, 'expected a mail address');
const webAddress = z.url({ protocol: /^https?$/, error: 'expected a web address' });
const addressesSchema = z.strictObject({
  chat_url: webAddress.optional(),
  chat_format: z.enum(CHAT_FORMATS).optional(),
  mail_to: z.array(mailAddress).min(1).max(50).optional(),
  topic_arn: z
    .string()
    .regex(/^arn:[\w-]+:sns:[\w-]+:\d{12}:[\w.-]{1,256}$/, 'expected the ARN of an SNS topic')
    .optional(),
});
const teamSchema = addressesSchema.extend({
  rundeck_notify: z
    .strictObject({
      url: webAddress.regex(/\/api\/\d+\/webhook\/[^/]+$/, 'expected …/api/N/webhook/<token>'),
      secret: z.string().min(1).optional(),
    })
    .optional(),
});
const settingsSchema = z.strictObject({
  ...addressesSchema.shape,
  smtp_url: z.url({ protocol: /^smtps?$/, error: 'expected smtp:// or smtps://' }).optional(),
  mail_from: z
    .string()
    .max(320)
    // A name may stand before the address; a new line would begin another header.
    .regex(/^[^\r\n]*[^\s<>@]+@[^\s<>@]+>?$/, 'expected a mail address')
    .optional(),
  teams: z.record(z.string().min(1).max(100), teamSchema).default({}),
});
type Addresses = z.infer<typeof addressesSchema>;
type Settings = z.infer<typeof settingsSchema>;

/** Where each setting comes from, for sentences about mistakes. */
const VARIABLES: Readonly<Record<string, string>> = {
  chat_url: 'ESCALATION_CHAT_URL',
  chat_format: 'ESCALATION_CHAT_FORMAT',
  smtp_url: 'ESCALATION_SMTP_URL',
  mail_from: 'ESCALATION_MAIL_FROM',
  mail_to: 'ESCALATION_MAIL_TO',
  topic_arn: 'ESCALATION_TOPIC_ARN',
  teams: 'ESCALATION_TEAMS',
};

/**
 * Makes the sender. A message counts as delivered when at least one channel took it; the failure of the others is logged.
 * Throws an Error that names the settings that are wrong, never their values. The sender throws UpstreamError `people`:
 * `not_configured` when there is no channel, `undeliverable` when none took the message.
 */
export function makeTellHuman(raw: PeopleSettings, surroundings: PeopleSurroundings = {}): TellHuman {
  const settings = readPeopleSettings(raw);
  const everyone = channelsOf('', settings, settings, surroundings);
  const teams = new Map(
    Object.entries(settings.teams).map(([team, addresses]) => [
      team,
      channelsOf(`${team}: `, addresses, settings, surroundings),
    ]),
  );
  return async (message) => {
    const own = message.team === undefined ? undefined : teams.get(message.team);
    const attempts = own?.length && own !== everyone ? [own, everyone] : [everyone];
    const failures: UpstreamError[] = [];
    for (const channels of attempts) {
      const told = await Promise.allSettled(channels.map(({ tell }) => tell(message)));
      const anyTold = told.some(({ status }) => status === 'fulfilled');
      for (const [index, result] of told.entries()) {
        if (result.status === 'fulfilled') continue;
        const failure = asUpstreamError(result.reason);
        failures.push(failure);
        // The stack has a topic also where everybody reads a chat room.
        if (anyTold && failure.code === NOBODY_SUBSCRIBED) continue;
        surroundings.log?.({
          // A dead letter or a storm has no incident.
          ...(/^(inc|sim)_/.test(message.incidentId) && { incident_id: message.incidentId }),
          channel: channels[index]?.name ?? '',
          code: failure.code,
          detail: failure.message,
        });
      }
      if (anyTold) return;
    }
    throw undeliverable(failures);
  };
}

/** Reads and checks them. Throws an Error that names the settings that are wrong, never their values. */
export function readPeopleSettings(raw: PeopleSettings): Settings {
  const given = (text: string | undefined) => (text?.trim() ? text.trim() : undefined);
  const parsed = settingsSchema.safeParse({
    chat_url: given(raw.chatUrl),
    chat_format: given(raw.chatFormat),
    smtp_url: given(raw.smtpUrl),
    mail_from: given(raw.mailFrom),
    mail_to: given(raw.mailTo)
      ?.split(',')
      .map((each) => each.trim()),
    topic_arn: given(raw.topicArn),
    teams: parseTeams(given(raw.teams)),
  });
  if (!parsed.success) throw wrong(parsed.error.issues.map(describe));
  const { mail_to, smtp_url, mail_from, teams } = parsed.data;
  const mails = mail_to !== undefined || Object.values(teams).some((each) => each.mail_to !== undefined);
  if (mails && smtp_url === undefined) throw wrong(['ESCALATION_SMTP_URL: is needed to send mail']);
  if (mails && mail_from === undefined) throw wrong(['ESCALATION_MAIL_FROM: is needed to send mail']);
  return parsed.data;
}

/** Paths and expectations, never what was given: addresses of webhooks are secrets. */
function describe({ path, message, code }: z.core.$ZodIssue): string {
  const [first, ...rest] = path.map(String);
  const where = [VARIABLES[first ?? ''] ?? 'ESCALATION_TEAMS', ...rest].join('.');
  return `${where}: ${code === 'unrecognized_keys' ? 'has a key that is not known' : message}`;
}

function parseTeams(json: string | undefined): unknown {
  if (json === undefined) return undefined;
  try {
    return JSON.parse(json);
  } catch {
    throw wrong(['ESCALATION_TEAMS: expected JSON']);
  }
}

function wrong(problems: readonly string[]): Error {
  return new Error(problems.join('; '));
}

function channelsOf(
  prefix: string,
  addresses: Addresses,
  { smtp_url, mail_from }: Settings,
  { timeoutMs = 10_000, snsClient }: PeopleSurroundings,
): readonly Channel[] {
  const { chat_url, chat_format, mail_to, topic_arn } = addresses;
  const channels: Channel[] = [];
  if (chat_url)
    channels.push({
      name: `${prefix}chat`,
      tell: makeTellRoom({
        url: chat_url,
        format: chat_format ?? chatFormatOf(chat_url),
        timeoutMs,
      }),
    });
  if (mail_to && smtp_url && mail_from)
    channels.push({
      name: `${prefix}mail`,
      tell: makeTellMailbox({ url: smtp_url, from: mail_from, to: mail_to, timeoutMs }),
    });
  if (topic_arn)
    channels.push({
      name: `${prefix}topic`,
      tell: makeTellTopic({ arn: topic_arn, timeoutMs, ...(snsClient ? { client: snsClient } : {}) }),
    });
  return channels;
}

function asUpstreamError(error: unknown): UpstreamError {
  if (error instanceof UpstreamError) return error;
  return new UpstreamError('people', 'failed', error instanceof Error ? error.name : 'unknown failure', {
    sent: 'unknown',
    retry: true,
  });
}

function undeliverable(failures: readonly UpstreamError[]): UpstreamError {
  if (failures.length === 0)
    return new UpstreamError('people', 'not_configured', 'no channel is set up (ESCALATION_*)', {
      sent: 'no',
      retry: false,
    });
  return new UpstreamError(
    'people',
    'undeliverable',
    `no channel took the message (${failures.length} tried)`,
    {
      sent: failures.every(({ sent }) => sent === 'no') ? 'no' : 'unknown',
      retry: failures.some(({ retry }) => retry),
    },
  );
}
