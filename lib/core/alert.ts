/** A Zabbix alert as the rest of Remedia sees it: validated, bounded, with absent instead of unresolved values. */

export interface EventTag {
  readonly tag: string;
  readonly value: string;
}

/** Zabbix 7.0: EVENT.ID is the problem's id in the problem, the update and the recovery alike. */
export interface Alert {
  readonly formatVersion: 1;
  /** Which Zabbix server; event ids repeat across servers. */
  readonly source: string;
  readonly kind: 'problem' | 'recovery' | 'update';
  readonly eventId: string;
  readonly recoveryEventId?: string;
  readonly eventName: string;
  /** Zabbix's EVENT.NSEVERITY: 0 not classified, 1 information, 2 warning, 3 average, 4 high, 5 disaster. */
  readonly severity: 0 | 1 | 2 | 3 | 4 | 5;
  readonly tags: readonly EventTag[];
  readonly hostGroups: readonly string[];
  readonly opdata?: string;
  readonly host: {
    /** Zabbix's technical name (HOST.HOST), strictly validated. */
    readonly host: string;
    readonly name?: string;
    readonly id?: string;
    readonly ip?: string;
  };
  readonly trigger: {
    readonly id: string;
    readonly name?: string;
    /** TRIGGER.NAME.ORIG: user macros are not expanded in it, so no secret can be. */
    readonly nameOrig?: string;
    readonly description?: string;
  };
  readonly item: {
    readonly id?: string;
    /** ITEM.KEY.ORIG, the evidence that a sender of data cannot write. */
    readonly key?: string;
    readonly value?: string;
  };
  /** Arrival, milliseconds since the epoch; EVENT.DATE and EVENT.TIME carry no offset. */
  readonly receivedAt: number;
}
