/** Where the contract suites find DynamoDB and SQS: embedded in this process, or an endpoint such as LocalStack's. */
import { type Embedded, startEmbeddedDynamo, startEmbeddedSqs } from '#local/embedded.ts';

/** No endpoint that the tests use looks at credentials. */
export const LOCAL_AWS = {
  region: 'eu-central-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
} as const;

/** With `REMEDIA_CONTRACTS_ON=aws` and `AWS_ENDPOINT_URL` that endpoint, else an embedded one on a free port. */
export function awsForTests(service: 'dynamodb' | 'sqs'): Promise<Embedded> {
  const endpoint = process.env['AWS_ENDPOINT_URL'];
  if (process.env['REMEDIA_CONTRACTS_ON'] === 'aws') {
    if (!endpoint) throw new Error('REMEDIA_CONTRACTS_ON=aws needs AWS_ENDPOINT_URL');
    return Promise.resolve({ endpoint, close: async () => {} });
  }
  return service === 'dynamodb' ? startEmbeddedDynamo({ port: 0 }) : startEmbeddedSqs({ port: 0 });
}
