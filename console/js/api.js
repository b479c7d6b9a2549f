// One door to the backend: session cookie, CSRF token, problem documents and retries are handled here.
const hooks = { csrf: () => null, unauthorized: () => {} };

export function configure(given) {
  Object.assign(hooks, given);
}

export class ApiError extends Error {
  constructor(status, problem = {}, retryAfter = 0) {
    super(problem.detail || problem.title || 'The request did not succeed.');
    this.status = status;
    this.title = problem.title || (status ? `Error ${status}` : 'No connection');
    this.detail = problem.detail || '';
    this.errors = Array.isArray(problem.errors) ? problem.errors : [];
    this.instance = problem.instance || '';
    this.retryAfter = retryAfter;
  }

  // The outcome is unknown or the refusal is temporary: the same intent may be sent again.
  get retryable() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

// One key per thing the user wants. A retry of the same content reuses it, so nothing happens twice.
export class Intent {
  #key = null;
  #mark = null;

  key(mark) {
    if (this.#key === null || this.#mark !== mark) {
      this.#key = crypto.randomUUID();
      this.#mark = mark;
    }
    return this.#key;
  }

  settle(error) {
    if (!error?.retryable) this.#key = null;
  }
}

async function problemOf(response) {
  try {
    return await response.json();
  } catch {
    return { title: response.statusText };
  }
}

export async function request(method, path, { body, headers = {}, signal, quiet401 = false } = {}) {
  const sent = { Accept: 'application/json', ...headers };
  let payload = body;
  if (body !== undefined && !(body instanceof Blob)) {
    sent['Content-Type'] = 'application/json';
    payload = JSON.stringify(body);
  }
  if (method !== 'GET' && hooks.csrf()) sent['X-CSRF-Token'] = hooks.csrf();
  let response;
  try {
    response = await fetch(path, { method, headers: sent, body: payload, signal, credentials: 'same-origin' });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError(0, { title: 'No connection', detail: 'The server cannot be reached. Check the connection and try again.' });
  }
  if (!response.ok) {
    const problem = await problemOf(response);
    if (response.status === 401 && !quiet401) hooks.unauthorized();
    throw new ApiError(response.status, problem, Number(response.headers.get('Retry-After')) || 0);
  }
  const text = await response.text();
  return {
    data: text ? JSON.parse(text) : null,
    status: response.status,
    etag: response.headers.get('ETag'),
    cache: response.headers.get('X-Cache'),
  };
}

export const get = (path, signal) => request('GET', path, { signal });

export async function post(path, body, intent, mark = JSON.stringify(body ?? null), more = {}) {
  const headers = { 'Idempotency-Key': intent.key(path + mark), ...more };
  try {
    const answer = await request('POST', path, { body, headers });
    intent.settle();
    return answer;
  } catch (error) {
    intent.settle(error);
    throw error;
  }
}

// Written by hand because a FormData body has a new boundary each time: a retry under the same
// idempotency key has to be the same bytes.
export function multipart(key, file, fields) {
  const boundary = `shopple-${key}`;
  const parts = [];
  for (const [name, value] of Object.entries(fields)) {
    parts.push(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`);
  }
  const name = file.name.replace(/["\r\n]/g, '_');
  parts.push(
    `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\n`,
    `Content-Type: ${file.type || 'application/octet-stream'}\r\n\r\n`,
    file,
    `\r\n--${boundary}--\r\n`,
  );
  return new Blob(parts, { type: `multipart/form-data; boundary=${boundary}` });
}

export function query(values) {
  const filled = Object.entries(values).filter(([, v]) => v !== undefined && v !== null && v !== '');
  return filled.length ? `?${new URLSearchParams(filled)}` : '';
}

export function wait(ms, signal) {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(new DOMException('left', 'AbortError'));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });
}

// Long work is followed at its own address; a refusal for pace or a short outage only slows the asking.
export async function follow(path, finished, { signal, onUpdate } = {}) {
  let pause = 700;
  let failures = 0;
  for (;;) {
    try {
      const { data } = await get(path, signal);
      failures = 0;
      onUpdate?.(data);
      if (finished(data)) return data;
    } catch (error) {
      failures += 1;
      if (!error.retryable || failures > 5) throw error;
      pause = Math.max(pause, error.retryAfter * 1000);
    }
    await wait(pause, signal);
    pause = Math.min(Math.max(pause * 1.3, 700), 3000);
  }
}
