/** Tells people through an SNS topic: e-mail, SMS and whatever else is subscribed to it. */
import type { SNSClient } from '@aws-sdk/client-sns';
import { isWebAddress, plainLine, plainText } from '#lib/adapters/spoken-text.ts';
import type { HumanMessage } from '#lib/core/incident.ts';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import type { TellHuman } from '#lib/workflow/ports.ts';

export interface Topic {
  readonly arn: string;
  readonly timeoutMs: number;
  /** The real one by default. It is made when first needed: most installations have no topic, and the SDK is big. */
  readonly client?: () => Promise<SNSClient>;
}

/** The code of the error when a topic took a message that it passes on to nobody. */
export const NOBODY_SUBSCRIBED = 'nobody_subscribed';

/**
 * Publishes one message in the forms that fit: a short one for SMS, the whole text for the rest. The attributes let a
 * subscription's filter take only what it is for, such as SMS for `priority: critical` alone. SNS takes a message also
 * when nobody is subscribed, or has not confirmed it yet; that counts as not told: UpstreamError `NOBODY_SUBSCRIBED`.
 */
export function makeTellTopic({ arn, timeoutMs, client = defaultClient }: Topic): TellHuman {
  let ready: Promise<SNSClient> | undefined;
  return async (message) => {
    const { GetTopicAttributesCommand, PublishCommand } = await import('@aws-sdk/client-sns');
    ready ??= client();
    const sns = await ready;
    const options = { abortSignal: AbortSignal.timeout(timeoutMs) };
    const text = textOf(message);
    const command = new PublishCommand({
      TopicArn: arn,
      Subject: subjectOf(message),
      MessageStructure: 'json',
      Message: JSON.stringify({ default: text, email: text, sms: smsOf(message) }),
      MessageAttributes: {
        // Delivered first, and not dropped at a spending limit's edge as promotional ones are.
        'AWS.SNS.SMS.SMSType': string('Transactional'),
        kind: string(message.kind),
        severity: { DataType: 'Number', StringValue: String(message.severity) },
        priority: string(message.priority ?? 'normal'),
        ...(message.team ? { team: string(plainLine(message.team, 100) || '-') } : {}),
      },
    });
    // Whoever may not look is believed: a topic of another account need not allow it.
    const attributes = sns
      .send(new GetTopicAttributesCommand({ TopicArn: arn }), options)
      .catch(() => undefined);
    try {
      await sns.send(command, options);
    } catch (error) {
      throw upstreamError(error);
    }
    if ((await attributes)?.Attributes?.['SubscriptionsConfirmed'] === '0') {
      throw new UpstreamError('people', NOBODY_SUBSCRIBED, 'nobody is subscribed to the topic', {
        sent: 'yes',
        retry: true,
      });
    }
  };
}

async function defaultClient(): Promise<SNSClient> {
  const { SNSClient } = await import('@aws-sdk/client-sns');
  return new SNSClient({ maxAttempts: 2 });
}

function string(value: string) {
  return { DataType: 'String', StringValue: value };
}

/** SNS takes at most 100 ASCII characters without new lines; the whole subject is repeated in the text. */
function subjectOf(message: HumanMessage): string {
  const subject = plainLine(message.subject.replace(/[^\x20-\x7e]+/g, '?'), 100);
  return subject || 'Remedia';
}

function textOf(message: HumanMessage): string {
  const links = linksOf(message).map(({ title, url }) => `${plainLine(title, 80)}: ${url}`);
  return [plainLine(message.subject, 250), plainText(message.body, 20_000), ...links].join('\n\n');
}

/** An SMS is paid by 140 bytes; the first link is where all the rest is. */
function smsOf(message: HumanMessage): string {
  const link = linksOf(message)[0]?.url ?? '';
  return [plainLine(message.subject, 200), link].filter(Boolean).join(' ');
}

function linksOf(message: HumanMessage): HumanMessage['links'] {
  return message.links.filter(({ url }) => isWebAddress(url));
}

function upstreamError(error: unknown): UpstreamError {
  const name = error instanceof Error ? error.name : 'unknown';
  const status = error instanceof Error && '$metadata' in error ? statusOf(error.$metadata) : undefined;
  if (status !== undefined)
    return new UpstreamError('people', 'refused', `the topic did not take the message (${name})`, {
      sent: 'yes',
      retry: status >= 500 || status === 429 || /throttl/i.test(name),
    });
  return new UpstreamError('people', 'failed', `the topic could not be reached (${name})`, {
    sent: 'unknown',
    retry: true,
  });
}

function statusOf(metadata: unknown): number | undefined {
  return typeof metadata === 'object' &&
    metadata !== null &&
    'httpStatusCode' in metadata &&
    typeof metadata.httpStatusCode === 'number'
    ? metadata.httpStatusCode
    : undefined;
}
