// The stream of a classification, event by event. A ticket opens it at the function's own address,
// where each event comes as it happens; where that is out of reach, Hosting gives all at the end.
import { ApiError, request } from './api.js';

// What has come so far, cut into whole events; the rest is handed back.
export function events(text) {
  const blocks = text.split('\n\n');
  const rest = blocks.pop();
  const found = [];
  for (const block of blocks) {
    const fields = {};
    for (const line of block.split('\n')) {
      const at = line.indexOf(': ');
      if (at > 0) fields[line.slice(0, at)] = line.slice(at + 2);
    }
    if (fields.event) found.push({ event: fields.event, data: JSON.parse(fields.data) });
  }
  return { found, rest };
}

async function checked(response) {
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({ title: response.statusText }));
  throw new ApiError(response.status, problem, Number(response.headers.get('Retry-After')) || 0);
}

async function opened(body, csrf, signal) {
  const sent = { method: 'POST', body: JSON.stringify(body), signal };
  const { data } = await request('POST', '/api/admin/ticket', { body: { for: 'classify' }, signal });
  try {
    return { live: true, response: await fetch(data.url, { ...sent, headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${data.ticket}` }, credentials: 'omit' }) };
  } catch (error) {
    if (error.name === 'AbortError') throw error;
  }
  try {
    return { live: false, response: await fetch('/classify', { ...sent, headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': csrf }, credentials: 'same-origin' }) };
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError(0, { title: 'No connection', detail: 'The server cannot be reached. Check the connection and try again.' });
  }
}

// `told` hears of each event; answers whether the stream came to its end.
export async function classify(body, { csrf, signal, begun = () => {}, told }) {
  const { live, response } = await opened(body, csrf, signal);
  await checked(response);
  begun(live);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  let whole = false;
  for (;;) {
    let piece;
    try {
      piece = await reader.read();
    } catch (error) {
      if (error.name === 'AbortError') throw error;
      return whole;
    }
    if (piece.done) return whole;
    const cut = events(text + piece.value);
    text = cut.rest;
    for (const { event, data } of cut.found) {
      whole ||= event === 'complete';
      told(event, data);
    }
  }
}
