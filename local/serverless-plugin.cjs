/** Gives `serverless offline` what API Gateway and Lambda have around them: queues, table, pollers, a model, a Rundeck. */
module.exports = function oneMachine(serverless) {
  let machine;
  const begin = async () => {
    const { startOneMachine } = await import('./one-machine.ts');
    machine = await startOneMachine({
      service: serverless.service,
      lambdaEndpoint: `http://127.0.0.1:${serverless.service.custom['serverless-offline'].lambdaPort}`,
      httpPort: Number(serverless.service.custom['serverless-offline'].httpPort),
    });
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
