import { Intent, get, post } from '../api.js';
import { h, fill } from '../dom.js';
import { ago, count, dateTime, dollars, sentence, timeOfDay, title as named } from '../format.js';
import { announce, button, card, chip, dialog, failure, field, heading, load, note, skeleton, state } from '../ui.js';

export const title = 'Providers';

const SOURCES = { stored: 'set here', environment: 'of the environment', none: 'no key' };
const CIRCUITS = { closed: 'closed', open: 'open', half_open: 'half open' };
const WORDS = { closed: 'Asked as usual', open: 'Left alone', half_open: 'One trial is next' };
const REASONS = { budget: 'the budget of the day is spent' };

export function screen({ signal, user }) {
  const region = h('div', { class: 'results' });
  let keys = new Map();
  // What came of a test outlasts the figures, which are read anew after it.
  const outcomes = new Map();

  const fact = (name, ...value) => h('div', {}, h('dt', {}, name), h('dd', { class: 'tabular' }, value));

  function testing(p) {
    if (!outcomes.has(p.name)) outcomes.set(p.name, h('div', { role: 'status', class: 'test-outcome' }));
    const outcome = outcomes.get(p.name);
    const run = button('Test', {
      kind: 'small', glyph: 'play', 'aria-label': `Test ${named(p.name)}`, 'data-test': p.name,
      onclick: async () => {
        run.disabled = true;
        fill(outcome, h('span', { class: 'muted' }, 'Asking…'));
        try {
          const { data } = await post('/classify/test-provider', { provider: p.name }, new Intent());
          await renew(p.name);
          fill(outcome, data.ok ? note('good', `Answers in ${count(data.latency_ms)} ms`, h('p', { class: 'fine' }, data.model)) : note('bad', 'No good answer', h('p', {}, sentence(data.error.replace(/^[a-z_]+: /, ''))), h('p', { class: 'fine' }, data.model)));
        } catch (error) {
          if (error.status !== 401) fill(outcome, failure(error));
        } finally {
          run.disabled = false;
        }
      },
    });
    return { run, outcome };
  }

  // What is typed here is sent and forgotten: nothing reads a key again.
  function setKey(p) {
    const intent = new Intent();
    const key = h('input', { type: 'password', autocomplete: 'off', spellcheck: 'false', maxlength: 500 });
    dialog({
      title: `Key for ${named(p.name)}`, confirm: 'Set the key',
      body: [field('key', 'Key', key, 'Stored sealed, and never shown again but for its last four characters.')],
      act: async () => {
        await post('/keys/set', { provider: p.name, key: key.value.trim() }, intent);
        announce(`The key for ${named(p.name)} is set`);
        read();
      },
    });
  }

  function keyLine(p) {
    const known = keys.get(p.name);
    if (p.name === 'local') return fact('Key', 'needs none');
    return fact('Key', known ? [known.last_four && h('code', {}, `…${known.last_four}`), ' ', SOURCES[known.source], known.set_at && [', ', h('time', { datetime: known.set_at, title: dateTime(known.set_at) }, ago(known.set_at))]] : '–',
      user.isSuperAdmin && button(known?.source === 'none' ? 'Set' : 'Replace', { kind: 'small', 'aria-label': `${known?.source === 'none' ? 'Set' : 'Replace'} the key for ${named(p.name)}`, onclick: () => setKey(p) }));
  }

  // A closed circuit may be left alone as well: where it asks for it, or has no budget left.
  function said(p) {
    if (!p.configured) return 'Passed over';
    const word = p.circuit === 'closed' && !p.healthy ? WORDS.open : WORDS[p.circuit];
    return p.reason ? `${word}: ${REASONS[p.reason] ?? named(p.reason).toLowerCase()}` : word;
  }

  function provider(p, place) {
    const { run, outcome } = testing(p);
    return h('li', { class: 'provider' },
      h('div', { class: 'provider-head' }, h('span', { class: 'provider-place', 'aria-hidden': 'true' }, place > 0 ? String(place) : '–'), h('h2', {}, named(p.name)),
        p.configured ? state(p.circuit, `Circuit ${CIRCUITS[p.circuit]}`) : chip('No key'), h('span', { class: 'spread' }), run),
      h('p', { class: 'sub' }, place > 0 ? '' : 'Not in the order. ', said(p), p.retry_at && `, until ${timeOfDay(p.retry_at)}`),
      h('dl', { class: 'facts' },
        fact('Latency', p.latency_ms === null ? '–' : `${count(p.latency_ms)} ms`), fact('Failed of late', p.error_percent === null ? '–' : `${p.error_percent} %`),
        fact('Spent today', dollars(p.spend_today), p.daily_budget !== null && ` of ${dollars(p.daily_budget)}`), keyLine(p),
        fact('Models', h('ul', { class: 'models' }, p.models.map((m) => h('li', {}, h('code', {}, m.name), h('span', { class: 'sub' }, Number(m.input_price) || Number(m.output_price) ? ` ${dollars(m.input_price)} in, ${dollars(m.output_price)} out` : ' free'))))), ),
      outcome);
  }

  async function ask() {
    const [told, status] = await Promise.all([get('/classify/providers', signal), get('/keys/status', signal).catch(() => null)]);
    keys = new Map(status?.data.keys.map((each) => [each.provider, each]));
    return told.data;
  }

  const show = (data) => h('ol', { class: 'providers', 'aria-label': 'Providers in the order in which they are asked' }, data.providers.map((p) => provider(p, data.order.indexOf(p.name) + 1)));

  function read() {
    outcomes.clear();
    return load(region, { signal, waiting: skeleton(5, 'tile'), read: ask, show });
  }

  // A test is a call like any other: it has cost something, and may have opened or closed a circuit.
  async function renew(name) {
    const data = await ask().catch(() => null);
    if (!data || signal.aborted) return;
    fill(region, show(data));
    region.querySelector(`[data-test="${CSS.escape(name)}"]`)?.focus({ preventScroll: true });
  }

  read();
  return [
    h('link', { rel: 'stylesheet', href: '/classification.css' }),
    heading('Providers', { lead: 'Who is asked, in this order, and how each has fared of late. Prices are for a million tokens.', actions: [button('Refresh', { glyph: 'refresh', onclick: () => read() })] }),
    region,
  ];
}
