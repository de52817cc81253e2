/** The output of an analysis for tests: a table for people, and the one line that rundeck/host/analyze-processes.sh prints last. */

/** `top` are the processes, the biggest first: `wiki 180 wiki.service` is a name, an amount and perhaps a unit. */
export function analysisOutput(
  top: readonly string[],
  over: Readonly<Record<string, unknown>> = {},
): readonly string[] {
  const processes = top.map((each, index) => {
    const [name = '', value = '0', unit = ''] = each.split(' ');
    return { pid: 100 + index, user: 'app', name, value: Number(value), unit };
  });
  const total = processes.reduce((sum, { value }) => sum + value, 0);
  return [
    '         percent      PID  USER             NAME',
    ...processes.map(({ name, value, pid }) => `${value} ${pid} app ${name}`),
    JSON.stringify({
      tool: 'analyze_processes',
      result: 'analyzed',
      exit: 0,
      resource: 'cpu',
      unit: 'percent',
      total,
      capacity: 200,
      top: processes,
      ...over,
    }),
  ];
}
