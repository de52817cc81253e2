/** What a job of Rundeck posts when it starts and ends: one attempt, which may authenticate itself. */
import { createHash } from 'node:crypto';

export interface NotificationRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type Trigger = 'start' | 'success' | 'failure' | 'retryablefailure';

/**
 * The post that Rundeck's notification code makes with `format: json`. Credentials in the URL become a Basic header;
 * with a security key a digest covers the URL, the trigger and the id, and neither status nor body.
 */
export function notificationRequest(
  address: string,
  trigger: Trigger,
  execution: Readonly<Record<string, unknown>>,
  securityKey?: string,
): NotificationRequest {
  const url = new URL(address);
  const id = String(execution['id']);
  const status = String(execution['status']);
  const headers: Record<string, string> = {
    'X-RunDeck-Notification-Execution-Status': status,
    'X-RunDeck-Notification-Execution-ID': id,
    'X-RunDeck-Notification-Trigger': trigger,
    'Content-Type': 'application/json; charset=UTF-8',
    'User-Agent': 'Apache-HttpClient/4.5.14 (Java/17.0.15)',
  };
  if (securityKey !== undefined) {
    headers['X-RunDeck-Notification-SHA256-Digest'] = createHash('sha256')
      .update(`${address}${trigger}${id}${securityKey}`)
      .digest('hex');
  }
  if (url.username !== '') {
    const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    headers['Authorization'] = `Basic ${Buffer.from(credentials).toString('base64')}`;
    url.username = '';
    url.password = '';
  }
  return {
    url: url.href,
    headers,
    body: JSON.stringify({ trigger, status, executionId: execution['id'], execution }),
  };
}

/** The URLs of one notification: a comma separates them, `${execution.id}` and the like are filled in. */
export function notificationUrls(
  urls: string,
  execution: { readonly id: number; readonly status: string; readonly project: string },
): readonly string[] {
  const values: Readonly<Record<string, string>> = {
    'execution.id': String(execution.id),
    'execution.status': execution.status,
    'execution.project': execution.project,
  };
  return urls
    .split(',')
    .map((url) => url.trim().replaceAll(/\$\{([a-z.]+)\}/g, (_match, name: string) => values[name] ?? ''))
    .filter((url) => url !== '');
}
