/** Batches as SQS hands them to a function. */
import type { SQSEvent, SQSRecord } from 'aws-lambda';

export function anSqsRecord(messageId: string, body: unknown, receiveCount: number | string = 1): SQSRecord {
  return {
    messageId,
    receiptHandle: `receipt-${messageId}`,
    body: typeof body === 'string' ? body : JSON.stringify(body),
    attributes: {
      ApproximateReceiveCount: String(receiveCount),
      SentTimestamp: '0',
      SenderId: 'sender',
      ApproximateFirstReceiveTimestamp: '0',
    },
    messageAttributes: {},
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:eu-central-1:000000000000:alerts',
    awsRegion: 'eu-central-1',
  };
}

export function anSqsEvent(...Records: readonly SQSRecord[]): SQSEvent {
  return { Records: [...Records] };
}
