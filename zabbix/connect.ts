/** Connects a Zabbix server to Remedia: media type, macros, a user of least rights, and the action with its safety net. */
import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import type { CallZabbix } from './call-zabbix.ts';
import { mediaTypeYaml } from './media-type.ts';

export interface Connection {
  /** Remedia's address, the alert path is added where it is missing. */
  readonly remediaUrl: string;
  /** One of Remedia's intake tokens. */
  readonly intakeToken: string;
  /** Remedia's key for signatures, when it checks them. */
  readonly signingKey?: string | undefined;
  /** How Remedia calls this Zabbix server. */
  readonly source: string;
  /** Names of the host groups whose problems Remedia gets; it can read no others. */
  readonly hostGroups: readonly string[];
  /** Problems below this are not sent: 0 not classified to 5 disaster. */
  readonly minimumSeverity: number;
  /** The user group that is paged by Zabbix itself; none, and there is no net. */
  readonly safetyNet?: { readonly userGroup: string; readonly afterMinutes: number } | undefined;
  /** Makes a new token for Remedia's comments although there is one; the old one stops to work. */
  readonly renewToken?: boolean;
}

export interface Connected {
  readonly mediaTypeId: string;
  readonly userId: string;
  readonly actionId: string;
  /** For `ZABBIX_API_TOKEN`; absent when the token is there already, since Zabbix shows it only once. */
  readonly apiToken?: string;
  /** What was done, a line each, and what a human should look at. */
  readonly done: readonly string[];
  readonly warnings: readonly string[];
}

export const NAMES = {
  mediaType: 'Remedia',
  role: 'Remedia',
  userGroup: 'Remedia',
  user: 'remedia',
  token: 'Remedia: comments on events',
  action: 'Remedia: remediate, and page humans if nobody answers',
} as const;

/** What the user of the API token may call: reading, and commenting on events. */
const API_METHODS = ['event.get', 'event.acknowledge', 'problem.get', 'host.get', 'history.get'];

/** Objects of the API as numbers, from Zabbix's reference of `action`, `role`, `user` and `usermacro`. */
const TRIGGERS = 0;
const CONDITION = { hostGroup: '0', severity: '4' } as const;
const EQUAL = '0';
const AT_LEAST = '5';
const OPERATION = { message: '0', tellAllInvolved: '11' } as const;
const NOT_ACKNOWLEDGED = { conditiontype: '14', operator: EQUAL, value: '0' } as const;
const SECRET = 1;
const USER_TYPE = 1;
const READ = 2;
/** Of a user group: nobody in it can log in to the frontend; API tokens go on working. */
const NO_FRONTEND = 3;
const EVERY_SEVERITY = 63;

const created = z.record(z.string(), z.array(z.string()).nonempty());

/** Makes or updates everything; a second run changes nothing. Throws an Error that says what is missing. */
export async function connectZabbix(call: CallZabbix, to: Connection): Promise<Connected> {
  const done: string[] = [];
  const warnings: string[] = [];
  if (/^http:/.test(to.remediaUrl) && !/^http:\/\/(127\.0\.0\.1|\[::1\]|localhost)[:/]?/.test(to.remediaUrl))
    warnings.push(
      'the address of Remedia begins with http: the token travels readable for everyone on the way',
    );

  /** Finds by name, then updates or creates; answers the id. */
  const ensure = async (
    object: string,
    key: string,
    filter: Readonly<Record<string, string>>,
    fields: Readonly<Record<string, unknown>>,
    onlyAtCreation: Readonly<Record<string, unknown>> = {},
  ): Promise<string> => {
    const rows = z.array(z.looseObject({ [key]: z.string() }));
    const [found] = await call(`${object}.get`, { output: [key], filter }, rows);
    const id = found?.[key];
    const name = Object.values(filter)[0];
    if (id !== undefined) {
      await call(`${object}.update`, { [key]: id, ...fields }, z.unknown());
      done.push(`${object} "${name}": up to date`);
      return id;
    }
    const ids = await call(`${object}.create`, { ...filter, ...fields, ...onlyAtCreation }, created);
    done.push(`${object} "${name}": created`);
    return ids[`${key}s`]?.[0] ?? '';
  };

  const groups = await call(
    'hostgroup.get',
    { output: ['groupid', 'name'], filter: { name: to.hostGroups } },
    z.array(z.object({ groupid: z.string(), name: z.string() })),
  );
  const missing = to.hostGroups.filter((name) => !groups.some((group) => group.name === name));
  if (missing.length > 0)
    throw new Error(`Zabbix has no host group ${missing.map((each) => `"${each}"`).join(', ')}`);

  await call(
    'configuration.import',
    {
      format: 'yaml',
      rules: { mediaTypes: { createMissing: true, updateExisting: true } },
      source: mediaTypeYaml(),
    },
    z.unknown(),
  );
  const [mediaType] = await call(
    'mediatype.get',
    { output: ['mediatypeid'], filter: { name: NAMES.mediaType } },
    z.array(z.object({ mediatypeid: z.string() })),
  );
  if (!mediaType) throw new Error('the media type was imported, but Zabbix does not show it');
  const mediaTypeId = mediaType.mediatypeid;
  done.push(`media type "${NAMES.mediaType}": imported`);

  await macro(call, '{$REMEDIA.TOKEN}', to.intakeToken, SECRET);
  await macro(call, '{$REMEDIA.SIGNING.KEY}', to.signingKey ?? '', SECRET);
  await macro(call, '{$REMEDIA.SOURCE}', to.source, 0);
  done.push('global macros {$REMEDIA.TOKEN}, {$REMEDIA.SIGNING.KEY}, {$REMEDIA.SOURCE}: set');

  const roleId = await ensure(
    'role',
    'roleid',
    { name: NAMES.role },
    {
      rules: {
        // Zabbix wants one page at least; the user group's members cannot log in anyway.
        'ui.default_access': 0,
        ui: [{ name: 'monitoring.problems', status: 1 }],
        'modules.default_access': 0,
        'api.access': 1,
        'api.mode': 1,
        api: API_METHODS,
        'actions.default_access': 0,
        actions: [
          { name: 'add_problem_comments', status: 1 },
          { name: 'acknowledge_problems', status: 1 },
        ],
      },
    },
    { type: USER_TYPE },
  );
  const userGroupId = await ensure(
    'usergroup',
    'usrgrpid',
    { name: NAMES.userGroup },
    {
      gui_access: NO_FRONTEND,
      hostgroup_rights: groups.map(({ groupid }) => ({ id: groupid, permission: READ })),
    },
  );
  const userId = await ensure(
    'user',
    'userid',
    { username: NAMES.user },
    {
      roleid: roleId,
      usrgrps: [{ usrgrpid: userGroupId }],
      // EVENT.DATE and EVENT.TIME come in the user's time zone.
      timezone: 'UTC',
      medias: [
        {
          mediatypeid: mediaTypeId,
          sendto: to.remediaUrl,
          active: 0,
          severity: EVERY_SEVERITY,
          period: '1-7,00:00-24:00',
        },
      ],
    },
    // Nobody logs in as this user: its token is all it needs.
    { passwd: `${randomBytes(24).toString('base64url')}aA1!` },
  );

  const apiToken = await tokenOf(call, userId, to.renewToken ?? false);
  done.push(`API token "${NAMES.token}": ${apiToken ? 'made' : 'there already'}`);

  const net = to.safetyNet ? await netOf(call, to.safetyNet, warnings) : undefined;
  const message = { default_msg: 1 };
  const toRemedia = {
    operationtype: OPERATION.message,
    opmessage: { ...message, mediatypeid: mediaTypeId },
    opmessage_usr: [{ userid: userId }],
  };
  const actionId = await ensure(
    'action',
    'actionid',
    { name: NAMES.action },
    {
      status: 0,
      esc_period: `${to.safetyNet?.afterMinutes ?? 10}m`,
      // A problem under maintenance is nobody's business, and the net waits with it.
      pause_suppressed: 1,
      filter: {
        evaltype: 0,
        conditions: [
          ...groups.map(({ groupid }) => ({
            conditiontype: CONDITION.hostGroup,
            operator: EQUAL,
            value: groupid,
          })),
          { conditiontype: CONDITION.severity, operator: AT_LEAST, value: String(to.minimumSeverity) },
        ],
      },
      operations: [
        {
          ...toRemedia,
          esc_step_from: 1,
          esc_step_to: 1,
        },
        ...(net
          ? [
              {
                operationtype: OPERATION.message,
                esc_step_from: 2,
                esc_step_to: 2,
                // Remedia acknowledges what it has mended or brought to a human, and nothing else.
                evaltype: 0,
                opconditions: [NOT_ACKNOWLEDGED],
                opmessage: { ...message, mediatypeid: '0' },
                opmessage_grp: [{ usrgrpid: net }],
              },
            ]
          : []),
      ],
      // Whoever was told of the problem: Remedia, and the humans if they were paged.
      recovery_operations: [{ operationtype: OPERATION.tellAllInvolved, opmessage: message }],
      // Remedia alone: "all involved" would also be everyone who ever commented.
      update_operations: [toRemedia],
    },
    { eventsource: TRIGGERS },
  );

  return { mediaTypeId, userId, actionId, ...(apiToken ? { apiToken } : {}), done, warnings };
}

/** A secret's value cannot be read, so it is always written. */
async function macro(call: CallZabbix, name: string, value: string, type: number): Promise<void> {
  const [found] = await call(
    'usermacro.get',
    { globalmacro: true, output: ['globalmacroid'], filter: { macro: name } },
    z.array(z.object({ globalmacroid: z.string() })),
  );
  if (found) await call('usermacro.updateglobal', { ...found, value, type }, z.unknown());
  else await call('usermacro.createglobal', { macro: name, value, type }, z.unknown());
}

async function tokenOf(call: CallZabbix, userid: string, renew: boolean): Promise<string | undefined> {
  const [found] = await call(
    'token.get',
    { output: ['tokenid'], userids: [userid], filter: { name: NAMES.token } },
    z.array(z.object({ tokenid: z.string() })),
  );
  if (found && !renew) return undefined;
  const id =
    found?.tokenid ??
    (await call('token.create', { name: NAMES.token, userid }, z.object({ tokenids: z.array(z.string()) })))
      .tokenids[0];
  const [made] = await call('token.generate', [id], z.array(z.object({ token: z.string() })));
  return made?.token;
}

async function netOf(
  call: CallZabbix,
  { userGroup }: { readonly userGroup: string },
  warnings: string[],
): Promise<string> {
  const [group] = await call(
    'usergroup.get',
    { output: ['usrgrpid'], filter: { name: userGroup }, selectUsers: ['userid'] },
    z.array(z.object({ usrgrpid: z.string(), users: z.array(z.object({ userid: z.string() })) })),
  );
  if (!group) throw new Error(`Zabbix has no user group "${userGroup}" that it could page`);
  const users = await call(
    'user.get',
    { output: ['userid'], userids: group.users.map(({ userid }) => userid), selectMedias: ['active'] },
    z.array(z.object({ medias: z.array(z.object({ active: z.string() })) })),
  );
  if (!users.some(({ medias }) => medias.some(({ active }) => active === '0')))
    warnings.push(
      `nobody in the user group "${userGroup}" has an active media: the safety net would page nobody`,
    );
  return group.usrgrpid;
}
