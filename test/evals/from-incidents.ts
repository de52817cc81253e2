/** Turns incidents whose right answer is known into labelled cases, without a host's name, an address or a secret. */

import type { Decision, Incident } from '#lib/core/incident.ts';
import { labelOf } from '#lib/core/label-decision.ts';
import { redact } from '#lib/runtime/logger.ts';
import type { EvalCase } from './cases.ts';

/** Names stand for hosts in the order in which they come: the same host is the same name in one export. */
export function makeAnonymous(): (incident: Incident) => (text: string) => string {
  const names = new Map<string, string>();
  return ({ hostKey, alert }) => {
    const name = names.get(hostKey) ?? `host-${names.size + 1}`;
    names.set(hostKey, name);
    const own = [alert?.host.name, alert?.host.host, alert?.host.ip]
      .filter((each) => each !== undefined && each !== '')
      .sort((a, b) => (b?.length ?? 0) - (a?.length ?? 0));
    return (text) => {
      const without = own.reduce<string>(
        (rest, each) => rest.split(each ?? '').join(each === alert?.host.ip ? '127.0.0.1' : name),
        text,
      );
      return redact(without)
        .replaceAll(/[\w.+-]+@[\w-]+\.[\w.-]+/g, 'somebody@example.org')
        .replaceAll(/\b(?!127\.)\d{1,3}(?:\.\d{1,3}){3}\b/g, '192.0.2.1')
        .replaceAll(/\bhttps?:\/\/[^\s"'\])]+/g, 'https://example.org');
    };
  };
}

/** The cases of these incidents, the oldest first. Only what a decision reads is in them: no data, no description, no value. */
export function casesFromIncidents(incidents: readonly Incident[]): readonly EvalCase[] {
  const anonymous = makeAnonymous();
  return incidents
    .toSorted((a, b) => a.openedAt - b.openedAt)
    .filter(({ mode }) => mode === 'live')
    .flatMap((incident) => {
      const clean = anonymous(incident);
      return incident.decisions.flatMap((decision) => caseOf(incident, decision, clean) ?? []);
    });
}

function caseOf(
  incident: Incident,
  decision: Decision,
  clean: (text: string) => string,
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
    item_key: clean(alert.item.key ?? ''),
    template: 'incidents',
    ...(alert.trigger.nameOrig !== undefined && { trigger_name: clean(alert.trigger.nameOrig) }),
    host: clean(alert.host.host),
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
      policy: policyNaming(decision, findings.top[0]),
    }),
  };
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
): Record<string, unknown> {
  const value = 'tool' in verdict ? String(Object.values(verdict.arguments)[0]) : '*';
  const application = 'tool' in verdict && verdict.tool === 'restart_application';
  const alias = application ? top?.name : top?.unit;
  return {
    allow: { paths: ['*'], services: ['*', value], applications: ['*', ...(application ? [value] : [])] },
    aliases:
      alias === undefined || alias === ''
        ? {}
        : { [application ? 'applications' : 'services']: { [alias]: [value] } },
  };
}
