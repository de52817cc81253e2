/** Alerts, policies, incidents and decisions that the policy's tests start from. */
import type { Alert } from '#lib/core/alert.ts';
import type { History } from '#lib/core/history.ts';
import type { Decision, Incident, Proposal, Verdict } from '#lib/core/incident.ts';
import { type Policy, policySchema } from '#lib/core/policy.ts';
import { proposalHash } from '#lib/core/proposal-hash.ts';

/** Saturday, 2026-11-28 12:00 UTC. */
export const NOON = Date.UTC(2026, 10, 28, 12, 0, 0);

export const aPolicy = (input: Record<string, unknown> = {}): Policy =>
  policySchema.parse({
    version: 1,
    rules: [
      {
        tools: ['cleanup_disk', 'restart_service', 'analyze_processes', 'restart_application'],
        autonomy: 'auto',
      },
    ],
    allow: {
      paths: ['/', '/var', '/srv/*'],
      services: ['nginx.service', 'apache2.service'],
      applications: ['billing-*'],
    },
    ...input,
  });

export const anAlert = (part: Partial<Alert> = {}): Alert => ({
  formatVersion: 1,
  source: 'zabbix-a',
  kind: 'problem',
  eventId: '500',
  eventName: 'Nginx: Process is not running',
  severity: 4,
  tags: [
    { tag: 'target', value: 'nginx' },
    { tag: 'env', value: 'prod' },
  ],
  hostGroups: ['Web servers'],
  host: { host: 'web-01', name: 'web-01.example.com' },
  trigger: { id: '25212' },
  item: { key: 'nginx.proc.num[nginx]' },
  receivedAt: NOON,
  ...part,
});

export const noHistory: History = {
  entries: [],
  sameTriggerProblems: 1,
  openProblems: 0,
  failedActions: [],
  chain: [],
};

export const restartNginx: Proposal = {
  kind: 'proposal',
  tool: 'restart_service',
  arguments: { service_name: 'nginx.service' },
};

export const nginxIsPossible = {
  eligible: [
    {
      tool: 'restart_service' as const,
      values: { service_name: ['nginx.service', 'apache2.service'] },
      evidence: 'item key',
    },
  ],
  node: 'web-01',
  reasons: [],
};

export const remediateNginx = {
  kind: 'remediate',
  tool: 'restart_service',
  arguments: { service_name: 'nginx.service' },
  node: 'web-01',
  autonomy: 'auto',
  reasons: [],
} as const satisfies Verdict;

export const aDecision = (part: Partial<Decision> = {}): Decision => {
  const decision: Decision = {
    decisionId: 'inc_1#1',
    step: 1,
    at: NOON,
    verdict: remediateNginx,
    expiresAt: NOON + 900_000,
    ...part,
  };
  const { verdict, decisionId } = decision;
  return 'tool' in verdict && part.proposalHash === undefined
    ? { ...decision, proposalHash: proposalHash({ decisionId, ...verdict }) }
    : decision;
};

export const anIncident = (part: Partial<Incident> = {}): Incident => ({
  incidentId: 'inc_1',
  source: 'zabbix-a',
  eventId: '500',
  mode: 'live',
  state: 'decided',
  escalation: 'none',
  alert: anAlert(),
  hostKey: 'zabbix-a/web-01',
  openedAt: NOON,
  updatedAt: NOON,
  decideBy: NOON + 900_000,
  decisions: [],
  timeline: [],
  version: 1,
  ...part,
});
