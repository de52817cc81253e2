/** Tells people in a chat room by its incoming webhook: Slack, Mattermost (and what understands its form), Teams. */
import { postJson } from '#lib/adapters/post-json.ts';
import { isWebAddress, plainLine, plainText } from '#lib/adapters/spoken-text.ts';
import type { HumanMessage } from '#lib/core/incident.ts';
import { UpstreamError } from '#lib/core/upstream-error.ts';
import type { TellHuman } from '#lib/workflow/ports.ts';

export const CHAT_FORMATS = ['slack', 'teams', 'mattermost'] as const;
export type ChatFormat = (typeof CHAT_FORMATS)[number];

export interface ChatRoom {
  /** The webhook's address; it is a secret and never appears in an error. */
  readonly url: string;
  readonly format: ChatFormat;
  readonly timeoutMs: number;
}

/** Guesses the form from the address. The unknown get Mattermost's: `text` alone is what all but Teams understand. */
export function chatFormatOf(url: string): ChatFormat {
  const host = URL.canParse(url) ? new URL(url).hostname : '';
  if (host.endsWith('slack.com')) return 'slack';
  if (/(^|\.)(office\.com|logic\.azure\.com|powerplatform\.com|powerautomate\.com)$/.test(host))
    return 'teams';
  return 'mattermost';
}

/** Posts the message. Throws UpstreamError `people`; the text of the answer is not repeated, its status is. */
export function makeTellRoom(room: ChatRoom): TellHuman {
  return async (message) => {
    const { status, text } = await postJson('people', {
      url: room.url,
      headers: { 'content-type': 'application/json' },
      body: FORMS[room.format](message),
      timeoutMs: room.timeoutMs,
      maxBytes: 100_000,
    });
    // Teams' connectors answer 200 and say in the body that nothing was delivered.
    if (status >= 200 && status < 300 && !/delivery failed/i.test(text)) return;
    throw new UpstreamError('people', 'refused', `the chat webhook answered HTTP ${status}`, {
      sent: 'yes',
      retry: status < 300 || status >= 500 || status === 408 || status === 429,
    });
  };
}

const LONGEST_BODY = 6000;

const FORMS: Readonly<Record<ChatFormat, (message: HumanMessage) => object>> = { slack, mattermost, teams };

/**
 * Slack: everything said by others is escaped as Slack asks for (&, <, >: no `<!channel>`, no `<http://…|text>`), stands
 * in a code block, where nothing is formatted, and `verbatim` keeps names and addresses from becoming links.
 * https://docs.slack.dev/messaging/formatting-message-text
 */
function slack(message: HumanMessage): object {
  const escaped = (text: string) =>
    breakMentions(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const section = (text: string) => ({ type: 'section', text: { type: 'mrkdwn', text, verbatim: true } });
  const subject = escaped(titleOf(message));
  const links = linksOf(message).map(
    ({ title, url }) => `<${url.replaceAll('&', '&amp;')}|${escaped(title)}>`,
  );
  return {
    text: subject,
    mrkdwn: false,
    link_names: false,
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      section(`*${subject}*`),
      ...blocksOf(bodyOf(message).split('\n').map(escaped), 2800).map((text) =>
        section(`\`\`\`\n${text}\n\`\`\``),
      ),
      ...(links.length > 0 ? [section(links.join('   '))] : []),
    ],
  };
}

/** Mattermost: Markdown, in which a code block is literal, also for `@channel`; a `<!` would be read as Slack's mention. */
function mattermost(message: HumanMessage): object {
  const links = linksOf(message).map(
    ({ title, url }) =>
      `[${breakMentions(title).replace(/[[\]]/g, ' ')}](${url.replace(/[()]/g, encodeURIComponent)})`,
  );
  const subject = breakMentions(titleOf(message)).replace(/[*_~[\]]/g, (mark) => `\\${mark}`);
  return {
    text: [`**${subject}**`, `\`\`\`\n${breakMentions(bodyOf(message))}\n\`\`\``, links.join(' · ')]
      .filter(Boolean)
      .join('\n'),
  };
}

/** Teams: an adaptive card; `TextRun` is literal where `TextBlock` would read Markdown. At most 28 KB may be sent. */
function teams(message: HumanMessage): object {
  const line = (run: object, separator = false) => ({
    type: 'RichTextBlock',
    spacing: separator ? 'Medium' : 'None',
    inlines: [{ type: 'TextRun', ...run }],
  });
  const title = { text: titleOf(message), weight: 'Bolder', size: 'Medium' };
  return {
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        contentUrl: null,
        content: {
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          type: 'AdaptiveCard',
          version: '1.4',
          msteams: { width: 'Full' },
          body: [
            line(message.severity >= 4 ? { ...title, color: 'Attention' } : title),
            // An empty run is not valid.
            ...bodyOf(message)
              .split('\n')
              .slice(0, 100)
              .map((text, index) => line({ text: text || ' ' }, index === 0)),
          ],
          actions: linksOf(message).map(({ title, url }) => ({ type: 'Action.OpenUrl', title, url })),
        },
      },
    ],
  };
}

function titleOf(message: HumanMessage): string {
  return withoutBackticks(plainLine(message.subject, 250)) || 'Remedia';
}

function bodyOf(message: HumanMessage): string {
  return withoutBackticks(plainText(message.body, LONGEST_BODY)) || '(no text)';
}

function linksOf(message: HumanMessage): HumanMessage['links'] {
  return message.links
    .filter(({ url }) => isWebAddress(url))
    .slice(0, 6)
    .map(({ title, url }) => ({ title: withoutBackticks(plainLine(title, 80)).replace(/[<>|]/g, ' '), url }));
}

/** A backtick could end the code block that makes the rest literal. */
function withoutBackticks(text: string): string {
  return text.replaceAll('`', "'");
}

/** An unseen space after what starts a mention, since not every server that says it is Slack escapes like Slack. */
function breakMentions(text: string): string {
  return text.replace(/[@<](?=[!@#a-z])/gi, '$&\u200b');
}

/** Lines packed into pieces of at most `max` characters, since a Slack block takes no more than 3,000. */
function blocksOf(lines: readonly string[], max: number): readonly string[] {
  const pieces: string[] = [];
  let piece = '';
  for (const line of lines.flatMap((each) => each.match(new RegExp(`.{1,${max}}`, 'gsu')) ?? [''])) {
    if (piece !== '' && piece.length + line.length + 1 > max) {
      pieces.push(piece);
      piece = line;
    } else piece = piece === '' ? line : `${piece}\n${line}`;
  }
  return [...pieces, piece].filter(Boolean);
}
