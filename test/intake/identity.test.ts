/** The identities that everything hangs on never change: records of years hang on them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decisionIdOf, hostKeyOf, incidentIdOf } from '#lib/core/identity.ts';

describe('an incident id', () => {
  it('is what it has always been', () => {
    expect(incidentIdOf('zabbix', '4711')).toBe('inc_d978376c474ed287003f0e21');
    expect(incidentIdOf('zabbix', '4711', 'live')).toBe(incidentIdOf('zabbix', '4711'));
  });

  it('of a simulated alert never meets that of a real one', () => {
    expect(incidentIdOf('zabbix', '4711', 'simulate')).toMatch(/^sim_[0-9a-f]{24}$/);
  });

  it('differs where source or event differ', () => {
    const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,20}$/);
    const event = fc.stringMatching(/^[0-9]{1,20}$/);
    fc.assert(
      fc.property(name, event, name, event, (source, id, otherSource, otherId) => {
        const same = source === otherSource && id === otherId;
        expect(incidentIdOf(source, id) === incidentIdOf(otherSource, otherId)).toBe(same);
      }),
    );
  });
});

it('a decision id names its incident and its step', () => {
  expect(decisionIdOf('inc_d978376c474ed287003f0e21', 2)).toBe('inc_d978376c474ed287003f0e21#2');
});

it('a host key names the server and the host', () => {
  expect(hostKeyOf('zabbix', 'web-01')).toBe('zabbix/web-01');
});
