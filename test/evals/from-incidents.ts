/** Turns incidents whose right answer is known into labelled cases, without a host's name, an address or a secret. */

import { evidenceOf } from '#lib/core/evidence.ts';
import type { Decision, Incident } from '#lib/core/incident.ts';
import { labelOf } from '#lib/core/label-decision.ts';
import { redact } from '#lib/runtime/logger.ts';
import type { EvalCase } from './cases.ts';

/** What a path is made of; a name among its parts is a folder's. Behind two slashes stands a host. */
const PATH = String.raw`(?<![\p{L}\p{N}_.\\/-])(?:~?|\p{L}:)[\\/](?![\\/])[^\s"',;:@=|()<>\[\]]*`;

/**
 * Names stand for hosts in the order in which they come: the same host is the same name in one export. A host may be called as
 * what runs on it is: that stays, else it would be another case.
 */
function makeAnonymous(): (incident: Incident) => {
  readonly host: string;
  readonly clean: (text: string) => string;
} {
  const names = new Map<string, string>();
  return (incident) => {
    const { hostKey, alert } = incident;
    const host = names.get(hostKey) ?? `host-${names.size + 1}`;
    names.set(hostKey, host);
    const values = namesOfWhatRuns(incident);
    const own = [alert?.host.name, alert?.host.host, alert?.host.ip]
      .filter((each): each is string => each !== undefined && each !== '')
      .filter((each) => !values.some((value) => wordsOf([each]).test(value)))
      .toSorted((a, b) => b.length - a.length);
    const found = new RegExp(`(?<path>${PATH})|${wordsOf(own).source}`, 'gu');
    const clean = (text: string) => {
      const without = text.replaceAll(found, (each, path?: string) => {
        if (path !== undefined) return each;
        return each === alert?.host.ip ? '127.0.0.1' : host;
      });
      return redact(without)
        .replaceAll(/[\w.+-]+@[\w-]+\.[\w.-]+/g, 'somebody@example.org')
        .replaceAll(/\b(?!127\.)\d{1,3}(?:\.\d{1,3}){3}\b/g, '192.0.2.1')
        .replaceAll(/\bhttps?:\/\/[^\s"'\])]+/g, 'https://example.org');
    };
    return { host, clean };
  };
}

/** Finds each of these as whole words that are no part of a path. */
function wordsOf(names: readonly string[]): RegExp {
  const any = names.map((name) => RegExp.escape(name)).join('|');
  return new RegExp(
    String.raw`(?<![\p{L}\p{N}_-]|(?<![\\/])[\\/])(?:${any || '(?!)'})(?![\p{L}\p{N}_-])`,
    'iu',
  );
}

/** Services, applications and containers that a tool was or could be called with. */
function namesOfWhatRuns({ alert, decisions }: Incident): readonly string[] {
  const shown = alert === undefined ? [] : evidenceOf(alert).found.flatMap(({ names }) => names);
  const given = decisions.flatMap(({ verdict }) => {
    const { service_name: service, app_name: application } = 'tool' in verdict ? verdict.arguments : {};
    return [service, application].filter((value) => value !== undefined).map(String);
  });
  const analysed = decisions.flatMap(({ dispatch }) =>
    (dispatch?.findings?.top ?? []).flatMap(({ name, unit = '' }) => [name, unit]),
  );
  return [...shown, ...given, ...analysed].filter((value) => !/[\\/]/.test(value));
}

/** The cases of these incidents, the oldest first. Only what a decision reads is in them: no data, no description, no value. */
export function casesFromIncidents(incidents: readonly Incident[]): readonly EvalCase[] {
  const anonymous = makeAnonymous();
  return incidents
    .toSorted((a, b) => a.openedAt - b.openedAt)
    .filter(({ mode }) => mode === 'live')
    .flatMap((incident) => {
      const names = anonymous(incident);
      return incident.decisions.flatMap((decision) => caseOf(incident, decision, names) ?? []);
    });
}

function caseOf(
  incident: Incident,
  decision: Decision,
  { host, clean }: ReturnType<ReturnType<typeof makeAnonymous>>,
): EvalCase | undefined {
  const { alert } = incident;
  const label = labelOf(incident, decision);
  if (alert === undefined || label === undefined) return undefined;
  const { verdict } = decision;
  const asLabelled = 'tool' in verdict && verdict.tool === label.tool;
  const findings = decision.step === 2 ? incident.decisions[0]?.dispatch?.findings : undefined;
  return {
    name: clean(alert.eventName),
    nseverity: alert.severity,
    tags: alert.tags.map(({ tag, value }) => ({ tag, value: clean(value) })),
    item_key: cleanedKey(alert.item.key ?? '', clean),
    template: 'incidents',
    ...(alert.trigger.nameOrig !== undefined && { trigger_name: clean(alert.trigger.nameOrig) }),
    host,
    remediation: label.tool,
    // A human may always be asked; only a human's own word says that one was needed.
    also_acceptable: label.tool === 'notify' ? [] : ['notify'],
    note: label.because,
    ...(asLabelled && { expect: { arguments: cleaned(verdict.arguments, clean) } }),
    history: [],
    ...(findings !== undefined && {
      findings: {
        ...findings,
        top: findings.top.map(({ name, value, unit = '' }) => ({
          name: clean(name),
          value,
          unit: clean(unit),
        })),
      },
      policy: policyNaming(decision, findings.top[0], clean),
    }),
  };
}

/** What a key is called says what it watches, whatever the host is called. */
function cleanedKey(key: string, clean: (text: string) => string): string {
  const [name = ''] = key.split('[', 1);
  return `${name}${clean(key.slice(name.length))}`;
}

function cleaned(
  given: Readonly<Record<string, string | number | boolean>>,
  clean: (text: string) => string,
): Record<string, string | number | boolean> {
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name, typeof value === 'string' ? clean(value) : value]),
  );
}

/** What an analysis finds is only acted upon where a policy names it; here the one thing that was acted upon. */
function policyNaming(
  { verdict }: Decision,
  top: { readonly name: string; readonly unit?: string } | undefined,
  clean: (text: string) => string,
): Record<string, unknown> {
  const value = 'tool' in verdict ? clean(String(Object.values(verdict.arguments)[0])) : '*';
  const application = 'tool' in verdict && verdict.tool === 'restart_application';
  const alias = clean((application ? top?.name : top?.unit) ?? '');
  return {
    allow: { paths: ['*'], services: ['*', value], applications: ['*', ...(application ? [value] : [])] },
    aliases: alias === '' ? {} : { [application ? 'applications' : 'services']: { [alias]: [value] } },
  };
}
