/** The trace id: what a request brought, else X-Ray's own form made of the incident. */
import { describe, expect, it } from 'vitest';
import { traceIdOf, traceOfParent, traceOfXray, xrayHeader } from '#lib/core/trace.ts';
import { NOON } from '#test/builders/incidents.ts';

const GIVEN = '4bf92f3577b34da6a3ce929d0e0e4736';
const incident = { incidentId: 'inc_0123456789abcdef01234567', openedAt: NOON };

describe('a trace id', () => {
  it('is made of the second and the digits of the incident, so that X-Ray takes it', () => {
    const traceId = traceIdOf(incident);

    expect(traceId).toBe('69a42a400123456789abcdef01234567');
    expect(Number.parseInt(traceId.slice(0, 8), 16)).toBe(NOON / 1000);
    expect(traceIdOf({ ...incident, openedAt: 0 })).toMatch(/^0{8}[0-9a-f]{24}$/);
  });

  it('is the one that the first request brought', () => {
    expect(traceIdOf({ ...incident, traceId: GIVEN })).toBe(GIVEN);
  });

  it('goes through the header of X-Ray and back', () => {
    expect(xrayHeader(GIVEN)).toBe('Root=1-4bf92f35-77b34da6a3ce929d0e0e4736');
    expect(traceOfXray(xrayHeader(GIVEN))).toBe(GIVEN);
    expect(traceOfXray(`Self=1-1-1;${xrayHeader(GIVEN)};Parent=53995c3f42cd8ad8;Sampled=1`)).toBe(GIVEN);
  });

  it.each([undefined, '', 'Root=1-zz', `Root=2-4bf92f35-77b34da6a3ce929d0e0e4736`])(
    'is in no header like %j',
    (header) => expect(traceOfXray(header)).toBeUndefined(),
  );

  it.each([
    [`00-${GIVEN}-00f067aa0ba902b7-01`, GIVEN],
    [` 00-${GIVEN}-00f067aa0ba902b7-00 `, GIVEN],
    [`cc-${GIVEN}-00f067aa0ba902b7-01-what-comes-later`, GIVEN],
    [undefined, undefined],
    [`ff-${GIVEN}-00f067aa0ba902b7-01`, undefined],
    [`00-${'0'.repeat(32)}-00f067aa0ba902b7-01`, undefined],
    [`00-${GIVEN}-${'0'.repeat(16)}-01`, undefined],
    [`00-${GIVEN.toUpperCase()}-00f067aa0ba902b7-01`, undefined],
    [`00-${GIVEN}`, undefined],
  ])('of the traceparent %j is %j', (header, expected) => {
    expect(traceOfParent(header)).toBe(expected);
  });
});
