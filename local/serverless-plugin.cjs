/** Gives `serverless offline` what API Gateway and Lambda have around them: queues, table, pollers, a model, a Rundeck. */
module.exports = function oneMachine(serverless) {
  let machine;
  const begin = async () => {
    const { lambdaPort, httpPort } = serverless.service.custom['serverless-offline'];
    try {
      // The bundles are made; what made them would stay with hundreds of megabytes. A later build starts it anew.
      await require('esbuild').stop();
      const { startOneMachine } = await import('./one-machine.ts');
      machine = await startOneMachine({
        service: serverless.service,
        lambdaEndpoint: `http://127.0.0.1:${lambdaPort}`,
        httpPort: Number(httpPort),
      });
    } catch (error) {
      // The sentence is for a person; the framework would put its own stack trace around it.
      process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
      process.exit(1);
    }
  };
  const end = async () => {
    await machine?.stop();
    machine = undefined;
  };
  return {
    hooks: {
      // `serverless offline` and `serverless offline start` are two commands with hooks of their own.
      'before:offline:start': async () => {
        await begin();
        process.once('SIGINT', end).once('SIGTERM', end);
      },
      'before:offline:start:init': begin,
      'before:offline:start:end': end,
    },
  };
};
