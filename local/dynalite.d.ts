/** What is used of dynalite, which ships no types. */
declare module 'dynalite' {
  import type { Server } from 'node:http';

  const dynalite: (options: {
    readonly path?: string;
    /** Milliseconds that a new table stays in CREATING. */
    readonly createTableMs?: number;
  }) => Server;
  export = dynalite;
}
