/** The catalogue: every tool there is, by its name. */
import { analyzeProcesses } from '#lib/catalogue/analyze-processes.ts';
import { cleanupDisk } from '#lib/catalogue/cleanup-disk.ts';
import { notify } from '#lib/catalogue/notify.ts';
import { restartApplication } from '#lib/catalogue/restart-application.ts';
import { restartService } from '#lib/catalogue/restart-service.ts';
import type { Tool, ToolName } from '#lib/catalogue/tool.ts';

export const catalogue = {
  cleanup_disk: cleanupDisk,
  restart_service: restartService,
  analyze_processes: analyzeProcesses,
  restart_application: restartApplication,
  notify,
} as const satisfies { readonly [Name in ToolName]: Tool<Name> };

/** The tool of this name; `undefined` for every other text, `constructor` and the like included. */
export function toolByName(name: string): Tool | undefined {
  return Object.values<Tool>(catalogue).find((tool) => tool.name === name);
}
