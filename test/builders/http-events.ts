/** Requests as API Gateway's REST API hands them to a function, and answers as a test looks at them. */
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';

/** A whole event; a test says only what it is about. Header names come as the sender wrote them. */
export function anHttpEvent(over: Partial<APIGatewayProxyEvent> = {}): APIGatewayProxyEvent {
  return {
    httpMethod: 'GET',
    path: '/',
    resource: '/',
    headers: {},
    multiValueHeaders: {},
    queryStringParameters: null,
    multiValueQueryStringParameters: null,
    pathParameters: null,
    stageVariables: null,
    body: null,
    isBase64Encoded: false,
    requestContext: {
      accountId: '000000000000',
      apiId: 'api',
      authorizer: null,
      protocol: 'HTTP/1.1',
      httpMethod: 'GET',
      identity: {
        accessKey: null,
        accountId: null,
        apiKey: null,
        apiKeyId: null,
        caller: null,
        clientCert: null,
        cognitoAuthenticationProvider: null,
        cognitoAuthenticationType: null,
        cognitoIdentityId: null,
        cognitoIdentityPoolId: null,
        principalOrgId: null,
        sourceIp: '192.0.2.1',
        user: null,
        userAgent: null,
        userArn: null,
      },
      path: '/',
      stage: 'local',
      requestId: 'request-1',
      requestTimeEpoch: 0,
      resourceId: 'resource',
      resourcePath: '/',
    },
    ...over,
  };
}

/** The answer with its JSON read. */
export function answerOf({ statusCode, headers, body }: APIGatewayProxyResult): {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly json: unknown;
} {
  return { status: statusCode, headers: headers ?? {}, json: JSON.parse(body) };
}
