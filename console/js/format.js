const whole = new Intl.NumberFormat('en');
const amount = new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const stamp = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });
const day = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium' });
const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });
const spent = new Intl.NumberFormat('en-GB', { style: 'currency', currency: 'USD', minimumFractionDigits: 2, maximumFractionDigits: 4 });
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const STEPS = [['year', 31536000], ['month', 2592000], ['week', 604800], ['day', 86400], ['hour', 3600], ['minute', 60]];

export const count = (n) => (Number.isFinite(n) ? whole.format(n) : '–');
export const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;
export const price = (n) => (Number.isFinite(n) ? amount.format(n) : '–');
// What calls cost: a small one is not nothing.
export const dollars = (n) => (n === null || n === undefined ? '–' : n > 0 && n < 0.00005 ? `under ${spent.format(0.0001)}` : spent.format(Number(n)));
export const signed = (n, digits = 1) => `${n > 0 ? '+' : n < 0 ? '−' : ''}${Math.abs(n).toFixed(digits)}`;
export const percent = (part, total) => (total > 0 ? Math.round((part / total) * 100) : 0);

function parsed(text) {
  const date = new Date(text ?? NaN);
  return Number.isNaN(date.getTime()) ? null : date;
}

export function dateTime(text) {
  const date = parsed(text);
  return date ? stamp.format(date) : '–';
}

export function date(text) {
  const found = parsed(text);
  return found ? day.format(found) : '–';
}

export function timeOfDay(text) {
  const date = parsed(text);
  return date ? clock.format(date) : '–';
}

export function ago(text) {
  const date = parsed(text);
  if (!date) return '–';
  const seconds = (date.getTime() - Date.now()) / 1000;
  const step = STEPS.find(([, size]) => Math.abs(seconds) >= size);
  return step ? relative.format(Math.round(seconds / step[1]), step[0]) : 'just now';
}

const SPELT = { ai_providers: 'AI providers', openrouter: 'OpenRouter', opensearch: 'OpenSearch' };

// Slugs such as "cargills-food-city" are what the data holds; people read names.
export function title(slug) {
  if (Object.hasOwn(SPELT, slug ?? '')) return SPELT[slug];
  const text = String(slug ?? '').replace(/[-_]+/g, ' ').trim();
  return text ? text.replace(/(^|\s)\p{Ll}/gu, (c) => c.toUpperCase()) : '–';
}

export const REASONS = { rate_limited: 'asks to be left alone', overloaded: 'is overloaded', timeout: 'took too long', refused: 'refused', bad_key: 'does not take the key', bad_output: 'gave no usable answer', network: 'could not be reached', no_service: 'does not serve this account' };
// "groq: rate_limited" is short for logs.
export const unanswered = (text) => text.replace(/\b([a-z]+): ([a-z_]+)\b/g, (said, who, why) => (Object.hasOwn(REASONS, why) ? `${title(who)} ${REASONS[why]}` : said));

export const sentence = (text) => (text ? text[0].toUpperCase() + text.slice(1) : '–');

export function bytes(n) {
  if (n < 1024) return `${n} B`;
  return n < 1048576 ? `${(n / 1024).toFixed(1)} kB` : `${(n / 1048576).toFixed(1)} MB`;
}
