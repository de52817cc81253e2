/** How long each part of a suite took, as one table at its end. */

export interface Durations {
  /** Runs it and remembers how long that took. */
  readonly measure: <Result>(part: string, run: () => Promise<Result>) => Promise<Result>;
  readonly add: (part: string, milliseconds: number) => void;
  readonly table: () => string;
}

export function startDurations(): Durations {
  const began = performance.now();
  const parts: (readonly [part: string, milliseconds: number])[] = [];
  const line = (milliseconds: number, part: string) =>
    `${(milliseconds / 1000).toFixed(1).padStart(7)} s  ${part}`;
  return {
    measure: async (part, run) => {
      const from = performance.now();
      try {
        return await run();
      } finally {
        parts.push([part, performance.now() - from]);
      }
    },
    add: (part, milliseconds) => parts.push([part, milliseconds]),
    table: () =>
      [
        ...parts.map(([part, milliseconds]) => line(milliseconds, part)),
        line(performance.now() - began, 'in all'),
      ].join('\n'),
  };
}
