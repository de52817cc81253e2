/** Invokes a function through serverless-offline's Lambda endpoint, which speaks AWS's Invoke API. */
import type { Invoked } from './poller.ts';

/**
 * @param endpoint such as `http://127.0.0.1:3002`
 * @param functionName the deployed name, such as `remedia-local-dispatch-job`
 */
export async function invoke(endpoint: string, functionName: string, event: unknown): Promise<Invoked> {
  try {
    const response = await fetch(`${endpoint}/2015-03-31/functions/${functionName}/invocations`, {
      method: 'POST',
      body: JSON.stringify(event),
    });
    const answer = await response.text();
    if (!response.ok || response.headers.has('x-amz-function-error'))
      return { kind: 'failed', error: `${functionName} failed: ${messageOf(answer)}` };
    return { kind: 'answered', payload: answer === '' ? undefined : JSON.parse(answer) };
  } catch (error) {
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    return { kind: 'failed', error: `${functionName} could not be invoked: ${String(cause)}` };
  }
}

function messageOf(answer: string): string {
  try {
    const { errorMessage, Message }: { errorMessage?: string; Message?: string } = JSON.parse(answer);
    return errorMessage ?? Message ?? answer;
  } catch {
    return answer.slice(0, 200);
  }
}
