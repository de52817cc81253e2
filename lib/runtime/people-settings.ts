/** The settings by which people are told, for every function that may have to. */
import type { SettingName, Settings } from '#lib/runtime/environment.ts';

export const PEOPLE_SETTINGS = [
  'ESCALATION_CHAT_URL',
  'ESCALATION_CHAT_FORMAT',
  'ESCALATION_SMTP_URL',
  'ESCALATION_MAIL_FROM',
  'ESCALATION_MAIL_TO',
  'ESCALATION_TOPIC_ARN',
  'ESCALATION_TEAMS',
] as const satisfies readonly SettingName[];

/** The same under the names that the sender knows. */
export function peopleOf(settings: Settings<(typeof PEOPLE_SETTINGS)[number]>) {
  return {
    chatUrl: settings.ESCALATION_CHAT_URL,
    chatFormat: settings.ESCALATION_CHAT_FORMAT,
    smtpUrl: settings.ESCALATION_SMTP_URL,
    mailFrom: settings.ESCALATION_MAIL_FROM,
    mailTo: settings.ESCALATION_MAIL_TO,
    topicArn: settings.ESCALATION_TOPIC_ARN,
    teams: settings.ESCALATION_TEAMS,
  };
}
