/** Tells people by e-mail, over any SMTP server. */
import type { Transporter } from 'nodemailer';
import { isWebAddress, plainLine, plainText } from '#lib/adapters/spoken-text.ts';
import type { HumanMessage } from '#lib/core/incident.ts';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import type { TellHuman } from '#lib/workflow/ports.ts';

export interface Mailbox {
  /** `smtp://user:password@host:587`, or `smtps://`; it never appears in an error. */
  readonly url: string;
  readonly from: string;
  readonly to: readonly string[];
  /** For each step of the conversation. */
  readonly timeoutMs: number;
}

/** Sends plain text only: there is nothing in it that a mail program could run, load or disguise. */
export function makeTellMailbox({ url, from, to, timeoutMs }: Mailbox): TellHuman {
  let transport: Transporter | undefined;
  const connect = async (): Promise<Transporter> => {
    // A quarter of a function's code, which it need not run at each start for the few messages that it sends.
    const { createTransport } = await import('nodemailer');
    return createTransport({
      url,
      connectionTimeout: timeoutMs,
      greetingTimeout: timeoutMs,
      socketTimeout: timeoutMs,
      dnsTimeout: timeoutMs,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
  };
  return async (message) => {
    try {
      transport ??= await connect();
      await transport.sendMail({
        from,
        to: [...to],
        subject: plainLine(message.subject, 250) || 'Remedia',
        text: textOf(message),
        priority: priorityOf(message),
        headers: {
          'X-Remedia-Incident': message.incidentId.replace(/[^\w.#-]/g, '_'),
          // Keeps out-of-office answers away (RFC 3834).
          'Auto-Submitted': 'auto-generated',
        },
      });
    } catch (error) {
      throw upstreamError(error);
    }
  };
}

function textOf(message: HumanMessage): string {
  const links = message.links
    .filter(({ url }) => isWebAddress(url))
    .map(({ title, url }) => `${plainLine(title, 80)}: ${url}`);
  return [plainText(message.body, 20_000), ...links].join('\n\n');
}

function priorityOf({ priority, severity }: HumanMessage): 'high' | 'normal' | 'low' {
  if (priority === 'critical' || priority === 'high') return 'high';
  if (priority === 'low') return 'low';
  return severity >= 4 && priority === undefined ? 'high' : 'normal';
}

/**
 * nodemailer's error codes and the server's status; never the server's words, which may repeat what it was told.
 * A 4xx of SMTP is "for now" (RFC 5321), a 5xx for good.
 */
function upstreamError(error: unknown): UpstreamError {
  const code =
    error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
  const status =
    error instanceof Error && 'responseCode' in error && typeof error.responseCode === 'number'
      ? error.responseCode
      : undefined;
  const before = ['ECONNECTION', 'ECONNREFUSED', 'EDNS', 'ENOTFOUND', 'EAUTH', 'ETLS', 'EENVELOPE'].includes(
    code,
  );
  return new UpstreamError(
    'people',
    code === 'ETIMEDOUT' ? 'timed_out' : 'refused',
    `the mail server did not take the message (${status ?? code})`,
    {
      // The server has answered, or was never asked to take it; otherwise it may have taken it.
      sent: status !== undefined ? 'yes' : before ? 'no' : 'unknown',
      retry: status === undefined ? code !== 'EAUTH' : status < 500,
    },
  );
}
