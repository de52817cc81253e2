/** The wrapper that injects faults: the effect happens exactly when the error says that it may have. */
import { expect, it } from 'vitest';
import { failNth, faulty } from '#test/fakes/faulty.ts';

const counting = () => {
  let sent = 0;
  return {
    ports: {
      runJob: async (order: string) => {
        sent += 1;
        return { executionId: `${order}-${sent}` };
      },
      readOutput: async () => 'text',
    },
    sent: () => sent,
  };
};

it('passes calls through that are not to fail', async () => {
  const { ports, sent } = counting();
  const { runJob, readOutput } = faulty(ports, () => undefined);
  expect(await runJob('a')).toEqual({ executionId: 'a-1' });
  expect(await readOutput()).toBe('text');
  expect(sent()).toBe(1);
});

it.each([
  ['before', 'no', 0],
  ['after', 'unknown', 1],
] as const)('fails %s the effect, and says sent: %s', async (fault, says, happened) => {
  const { ports, sent } = counting();
  const { runJob } = faulty(ports, failNth(1, fault));
  await expect(runJob('a')).rejects.toMatchObject({ upstream: 'rundeck', sent: says });
  expect(sent()).toBe(happened);
  expect(await runJob('b')).toEqual({ executionId: `b-${happened + 1}` });
});

it('counts the calls of one port alone when it is named', async () => {
  const { runJob, readOutput } = faulty(counting().ports, failNth(2, 'before', 'runJob'));
  await runJob('a');
  await readOutput();
  await expect(runJob('b')).rejects.toMatchObject({ name: 'UpstreamError' });
});
