/** The hash that binds an approval to exactly one proposal: the same decision, tool, arguments and node. */
import type { ToolArguments, ToolName } from '#lib/catalogue/tool.ts';
import { hashOf } from '#lib/core/canonical-json.ts';

/** sha256 as 64 hex digits; the order in which the arguments were written makes no difference. */
export function proposalHash(proposal: {
  readonly decisionId: string;
  readonly tool: ToolName;
  readonly arguments: ToolArguments;
  readonly node: string;
}): string {
  const { decisionId, tool, node } = proposal;
  return hashOf({ decisionId, tool, arguments: proposal.arguments, node });
}
