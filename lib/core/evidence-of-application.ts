/** Evidence that an application or a container has stopped or is unwell: what `restart_application` is for. */
import {
  type Evidence,
  type Facts,
  found,
  isNamed,
  namesOf,
  plain,
  reportsMoreThan,
  subject,
} from '#lib/core/evidence-facts.ts';
import { serviceSign } from '#lib/core/evidence-of-service.ts';
import type { ItemKey } from '#lib/core/item-key.ts';
import { hyphenated } from '#lib/core/own-words.ts';
import { triggerText } from '#lib/core/trigger-text.ts';

export function applicationEvidence(facts: Facts): Evidence | undefined {
  const { key, tags } = facts;
  const scopes = tags('scope');
  if (scopes.length > 0 && !scopes.includes('availability')) return undefined;
  const [first = ''] = key.parameters;
  const because = `${key.name} says that it has stopped or is unhealthy`;
  const [, what = ''] = key.parameters;
  const container =
    /^docker\.container_info\.state\.(exitcode|health|running|status|dead|oomkilled)$/.test(key.name) ||
    (key.name === 'docker.container_info' && /^(health|state|status|running|dead)/i.test(what)) ||
    (scopes.length === 0 && isOwnCheckOfAnApplication(key));
  if (container) {
    const names = plain(first);
    // The check of an application may fail because of another one that it needs.
    const elsewhere = /^(web)?app/.test(key.name) && !isMentioned(names, triggerText(facts.alert));
    if (elsewhere) return undefined;
    return found('restart_application', names.length > 0 ? names : namesOf(tags, ['container'], []), because);
  }
  // A scenario of steps through a website; a tag says which of the policy's applications serves it.
  if (scopes.length === 0 && /^web\.test\.(fail|rspcode|error)$/.test(key.name)) {
    return found('restart_application', namesOf(tags, ['application'], []), because);
  }
  // Tomcat's own word for each of its webapps; a tag says which of the policy's it is.
  if (key.name === 'jmx' && what === 'stateName' && first.includes('j2eeType=WebModule')) {
    return found('restart_application', namesOf(tags, ['application'], []), because);
  }
  const [, pool] = /^\\APP_POOL_WAS\(([^)]+)\)\\Current Application Pool State$/.exec(first) ?? [];
  if (pool !== undefined) return found('restart_application', plain(pool), because);
  // "Health" is a common word: it counts only where the template itself says that it is about availability.
  if (scopes.length === 0) return found('restart_application', taggedOf(facts), because);
  if (/\.(liveness|readiness)$/.test(key.name)) {
    return found('restart_application', subject(facts, ['container', 'application']), because);
  }
  const tagged = namesOf(tags, ['container', 'application'], []);
  return serviceSign(facts) === undefined ? undefined : found('restart_application', tagged, because);
}

/** The application that a tag names, where an administrator's own check is about it and not about something that it has. */
function taggedOf(facts: Facts): readonly string[] {
  const { alert, key, tags } = facts;
  const [first = '', , state = '', commandLine = ''] = key.parameters;
  const tagged = namesOf(tags, ['container', 'application', 'app'], []);
  const [name] = tagged;
  if (name === undefined || tags('target').length > 0 || reportsMoreThan(facts, 0)) return [];
  // It counts the processes with its name in their command line, which no service's name could be taken from,
  if (key.name === 'proc.num') return state === '' && holds(commandLine, name) ? tagged : [];
  // or is at one of this host's ports that no known service has, and the trigger names the application,
  if (key.name.startsWith('net.tcp.')) {
    return serviceSign(facts)?.names.length === 0 && isNamed(name, alert) ? tagged : [];
  }
  // or has its name twice, `shop.health[shop-api]`: `backup.status[shop-api]` is about its backups.
  const [, about] = /^([\w-]+)\.\w+$/.exec(key.name) ?? [];
  const isOwn = about !== undefined && LIFE_SIGN.test(key.name) && holds(name, about);
  return first === name && isOwn ? tagged : [];
}

function holds(text: string, part: string): boolean {
  return hyphenated(text).includes(hyphenated(part));
}

/** What checks of anything are called that lives or does not. */
const LIFE_SIGN = /\.(health|healthy|status|state|running|alive|up|ping)$/;

/** What administrators call their own checks, and the whole answer of the agent's own key. */
function isOwnCheckOfAnApplication({ name, parameters: [, what = ''] }: ItemKey): boolean {
  if (name === 'docker.container_info') return ['', 'full', 'short'].includes(what);
  if (!LIFE_SIGN.test(name)) return false;
  return /^((tomcat|wildfly|jboss|iis)\.)?(docker|podman|pm2|supervisor(?:d|ctl)?|containers?|apps?|applications?|webapps?|deployments?|app_?pools?)\.((container|app|process)\.)?\w+$/.test(
    name,
  );
}

/** Whether a text has a part of one of these names, however it is written: `PortalAluno` in "portal do aluno". */
function isMentioned(names: readonly string[], text: string): boolean {
  const letters = (value: string) => value.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase();
  const parts = names
    .flatMap((name) => name.replaceAll(/(\p{Ll})(\p{Lu})/gu, '$1 $2').split(/[^\p{L}\p{N}]+/u))
    .map(letters)
    .filter((part) => part.length >= 3);
  return parts.length === 0 || parts.some((part) => letters(text).includes(part));
}
