/** The answers of the simulated Rundeck: Rundeck's JSON, its errors, and answers that never come. */

export const API_VERSION = 58;
export const OLDEST_API_VERSION = 14;

export interface Answer {
  readonly status: number;
  /** A text goes out as it is, anything else as JSON. */
  readonly body: unknown;
  readonly type?: string;
  /** No answer comes, or the connection is cut. */
  readonly silence?: 'hang' | 'cut';
}

export const json = (body: unknown, status = 200): Answer => ({ status, body });
export const plain = (status: number, body = '', type = 'text/plain'): Answer => ({ status, body, type });
/** A webhook's own errors. */
export const err = (text: string, status = 400): Answer => json({ err: text }, status);
/** The API's errors. */
export const apiError = (status: number, errorCode: string, message: string): Answer =>
  json({ error: true, apiversion: API_VERSION, errorCode, message }, status);
export const forbidden = (what: string): Answer =>
  apiError(403, 'api.error.item.unauthorized', `Not authorized for ${what}`);
export const missing = (what: string): Answer =>
  apiError(404, 'api.error.item.doesnotexist', `${what} does not exist`);
/** The message holds the request's path, and that of a webhook its token: as Rundeck does it. */
export const unknownToken = (token: string, path: string): Answer =>
  apiError(403, 'unauthorized', `(Token:${token.slice(0, 5)}****) is not authorized for: ${path}`);
export const unsupportedVersion = (version: number, path: string): Answer =>
  apiError(
    400,
    'api.error.api-version.unsupported',
    `Unsupported API Version "${version}". API Request: ${path}. Reason: maximum is ${API_VERSION}`,
  );

/** `undefined` when it is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
