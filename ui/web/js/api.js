// Talking to the server: same origin, JSON, the session's cookie, and with each change the session's token.

let csrf = '';
let onSignedOut = () => {};

export function setCsrf(token) {
  csrf = token ?? '';
}

export function whenSignedOut(callback) {
  onSignedOut = callback;
}

/** What a request came to when it did not succeed. `code` is the server's, or network / aborted. */
export class ApiError extends Error {
  constructor(code, message, { status = 0, retryAfter = 0, param = '' } = {}) {
    super(message);
    this.code = code;
    this.status = status;
    this.retryAfter = retryAfter;
    this.param = param;
  }
}

export function errorOf(body, status, retryAfter) {
  const error = body?.error ?? {};
  return new ApiError(error.code ?? `status_${status}`, error.message ?? `HTTP ${status}`, { status, retryAfter, param: error.param ?? '' });
}

/** A Response whose status is a success. Errors: ApiError. */
export async function open(method, path, { body, signal, accept } = {}) {
  const headers = { Accept: accept ?? 'application/json' };
  if (method !== 'GET' && csrf) headers['X-Hearth-CSRF'] = csrf;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  let response;
  try {
    response = await fetch(path, {
      method, headers, signal, credentials: 'same-origin', cache: 'no-store', redirect: 'error',
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === 'AbortError') throw new ApiError('aborted', 'aborted');
    throw new ApiError('network', String(error.message));
  }
  if (response.ok) return response;
  let answer = null;
  try {
    answer = await response.json();
  } catch { /* not ours: a proxy's page, say */ }
  const failure = errorOf(answer, response.status, Number(response.headers.get('Retry-After') ?? 0));
  // Of a request that needed a session, not of the one that makes it.
  if (response.status === 401 && !(method === 'POST' && /\/(session|invitations\/[^/]+)$/.test(path))) onSignedOut(failure);
  throw failure;
}

/** The answer's JSON; null where there is none. */
export async function call(method, path, body, options) {
  const response = await open(method, path, { body, ...options });
  if (response.status === 204) return null;
  const text = await response.text();
  return text ? JSON.parse(text) : null;
}

const BASE = '/hearth/v1';
export const get = (path, options) => call('GET', BASE + path, undefined, options);
export const post = (path, body = {}) => call('POST', BASE + path, body);
export const put = (path, body) => call('PUT', BASE + path, body);
export const patch = (path, body) => call('PATCH', BASE + path, body);
export const remove = (path, body) => call('DELETE', BASE + path, body);

/** Saves what a GET answers as a file of this name. */
export async function download(path, name) {
  const response = await open('GET', BASE + path, { accept: '*/*' });
  const url = URL.createObjectURL(await response.blob());
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
