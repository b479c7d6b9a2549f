import { get, request } from '../api.js';
import { stats } from '../catalog.js';
import { h, fill } from '../dom.js';
import { ago, dateTime, title as named } from '../format.js';
import { announce, button, card, clearErrors, empty, failure, field, heading, iconButton, load, note, showErrors, skeleton, table, toast } from '../ui.js';

export const title = 'Settings';

const PATH = '/system/config';
const PROVIDERS = { groq: 'Groq', gemini: 'Gemini', cerebras: 'Cerebras', openrouter: 'OpenRouter', local: 'Local, without a key' };
const PERCENT = { min: 0, max: 100, unit: '%' };
const DOLLARS = { min: 0, max: 100000, unit: '$' };
const DAYS = { min: 1, max: 3650, unit: 'days' };
// Each number: its group, name, label, bounds and what it means.
const NUMBERS = [
  ['thresholds', 'duplicate_confidence', 'Same product from', PERCENT, 'Confidence from which two offers count as the same product.'],
  ['thresholds', 'review_confidence', 'Ask a person below', PERCENT, 'A classification less sure than this waits for a person.'],
  ['thresholds', 'unlikely_price_factor', 'Unlikely price from', { min: 2, max: 100, unit: 'times' }, 'A crawled price so many times as much or as little as usual waits for a person.'],
  ['auto_approval', 'max_price_change_percent', 'Price may move by', PERCENT, 'A larger move waits for a person.'],
  ['auto_approval', 'min_match_confidence', 'Match at least', PERCENT, 'How sure the match with a known product has to be.'],
  ...Object.keys(PROVIDERS).filter((x) => x !== 'local').map((x) => ['daily_budget_dollars', x, `${PROVIDERS[x]} a day`, DOLLARS, 'What it may cost a day (UTC); with 0 it is not asked.']),
  ['retention_days', 'sessions', 'Sessions', DAYS, 'Ended sessions.'],
  ['retention_days', 'audit_logs', 'Audit log', DAYS, 'Who changed what, and the uploads that it names.'],
  ['retention_days', 'results', 'Results', DAYS, 'Exports that are over.'],
  ['retention_days', 'crawl_results', 'Crawls', DAYS, 'Crawls that are over, with what they found.'],
  ['retention_days', 'deleted_products', 'Deleted products', DAYS, 'Until then they can be restored.'],
];

const content = ({ thresholds, provider_order: providers, daily_budget_dollars: budgets, auto_approval: approval, retention_days: retention }) => ({ thresholds, provider_order: providers, daily_budget_dollars: budgets, auto_approval: approval, retention_days: retention });
const labelOf = (group, key) => NUMBERS.find(([g, k]) => g === group && k === key)?.[2] ?? { enabled: 'Approve by rule', retailers: 'Retailers' }[key] ?? named(key);
// Each setting's value of `mine` where it was edited, else of `theirs`: saving undoes nobody's change.
function merged(mine, base, theirs) {
  const pick = (m, b, t) => (JSON.stringify(m) === JSON.stringify(b) ? t : m);
  return Object.fromEntries(Object.keys(mine).map((group) => [group, Array.isArray(mine[group]) ? pick(mine[group], base[group], theirs[group])
    : Object.fromEntries(Object.keys(mine[group]).map((key) => [key, pick(mine[group][key], base[group][key], theirs[group][key])]))]));
}
const words = (value) => (Array.isArray(value) ? value.map((x) => PROVIDERS[x] ?? x).join(', ') || 'none' : value === true ? 'yes' : value === false ? 'no' : String(value));

// Flat, so that two versions can be laid side by side.
const flat = (settings) => Object.fromEntries(Object.entries(content(settings)).flatMap(([group, value]) =>
  (Array.isArray(value) ? [['Provider order', words(value)]] : Object.entries(value).map(([key, x]) => [labelOf(group, key), words(x)]))));

function order(providers, changed) {
  let list = [...providers];
  const box = h('ol', { class: 'order', 'aria-label': 'Providers in order' });
  function paint(focus) {
    const move = (i, by) => {
      [list[i], list[i + by]] = [list[i + by], list[i]];
      announce(`${PROVIDERS[list[i + by]]} is number ${i + by + 1}`);
      paint([list[i + by], by < 0 ? 'earlier' : 'later']);
      changed();
    };
    const off = Object.keys(PROVIDERS).filter((x) => !list.includes(x));
    fill(box,
      list.map((x, i) => h('li', { 'data-provider': x }, h('span', { class: 'order-n tabular', 'aria-hidden': 'true' }, i + 1), h('span', { class: 'order-name' }, PROVIDERS[x]),
        iconButton(`Ask ${PROVIDERS[x]} earlier`, 'up', { 'data-way': 'earlier', disabled: i === 0, onclick: () => move(i, -1) }),
        iconButton(`Ask ${PROVIDERS[x]} later`, 'down', { 'data-way': 'later', disabled: i === list.length - 1, onclick: () => move(i, 1) }),
        iconButton(`Never ask ${PROVIDERS[x]}`, 'close', { disabled: list.length === 1, onclick: () => { list = list.filter((y) => y !== x); paint([list[Math.min(i, list.length - 1)], 'later']); changed(); } }))),
      off.map((x) => h('li', { class: 'off' }, h('span', { class: 'order-n', 'aria-hidden': 'true' }, '–'), h('span', { class: 'order-name' }, PROVIDERS[x], h('span', { class: 'sub' }, ' not asked')),
        button('Add', { kind: 'small', 'aria-label': `Ask ${PROVIDERS[x]}`, onclick: () => { list.push(x); paint([x, 'earlier']); changed(); } }))));
    if (focus) {
      const row = box.querySelector(`[data-provider="${focus[0]}"]`);
      (row.querySelector(`[data-way=${focus[1]}]:enabled`) ?? row.querySelector('button:enabled'))?.focus();
    }
  }
  paint();
  return { node: h('div', { class: 'field', 'data-field': 'provider_order' }, box, h('input', { type: 'hidden', name: 'provider_order' }), h('p', { class: 'error', hidden: true })), value: () => list };
}

export function screen({ signal, user }) {
  if (!user.isSuperAdmin) return [heading('Settings'), empty('For super admins only', 'Ask a super admin to change how the product works.')];
  const region = h('div', {});
  let retailers = [];

  function form(stored, tag) {
    const base = flat(stored);
    const notice = h('div', { tabindex: '-1' });
    const hint = h('p', { class: 'fine', role: 'status' });
    const save = h('button', { type: 'submit', class: 'btn primary' }, 'Save settings');
    const reset = button('Discard changes', { kind: 'quiet', onclick: () => paint(stored, tag) });
    const numbers = new Map(NUMBERS.map(([group, key, , bounds]) => [`${group}.${key}`,
      h('input', { type: 'number', inputmode: 'numeric', min: bounds.min, max: bounds.max, step: 1, required: true, class: 'tabular', value: stored[group][key] })]));
    const enabled = h('input', { type: 'checkbox', name: 'enabled', checked: stored.auto_approval.enabled });
    const sold = h('input', { type: 'text', autocomplete: 'off', spellcheck: 'false', placeholder: 'keells, cargills', value: stored.auto_approval.retailers.join(', ') });
    const providers = order(stored.provider_order, () => remember());

    const values = () => {
      const read = { thresholds: {}, auto_approval: { enabled: enabled.checked, retailers: sold.value.split(',').map((x) => x.trim()).filter(Boolean) }, retention_days: {}, daily_budget_dollars: {}, provider_order: providers.value() };
      for (const [group, key] of NUMBERS) read[group][key] = numbers.get(`${group}.${key}`).valueAsNumber;
      return read;
    };
    const local = (read) => NUMBERS.filter(([group, key, , { min, max }]) => !(Number.isInteger(read[group][key]) && read[group][key] >= min && read[group][key] <= max))
      .map(([group, key, , { min, max }]) => ({ field: `${group}.${key}`, message: `Enter a whole number from ${min} to ${max}.` }));
    function remember() {
      const now = flat(values());
      const dirty = Object.keys(base).some((key) => base[key] !== now[key]);
      reset.hidden = !dirty;
      hint.textContent = dirty ? 'Unsaved changes' : '';
    }

    function conflict(answer) {
      const [theirs, mine] = [flat(answer.data), flat(values())];
      const apart = Object.keys(mine).filter((key) => mine[key] !== theirs[key]);
      fill(notice, note('warn', 'Someone else changed the settings meanwhile',
        h('p', {}, 'Nothing was saved. Your edits are still below; compare, then choose.'),
        apart.length > 0 && table({
          caption: 'Your settings beside those in force', kind: 'compact',
          columns: [{ label: 'Setting', row: true }, { label: 'Yours' }, { label: 'In force now' }],
          rows: apart.map((key) => ({ cells: [key, mine[key] === base[key] ? h('span', { class: 'muted' }, `${mine[key]} (not edited)`) : mine[key], theirs[key]] })),
        }),
        h('div', { class: 'actions' },
          button('Show those in force', { onclick: () => paint(answer.data, answer.etag) }),
          button('Keep mine and save', { kind: 'primary', onclick: () => send(merged(values(), content(stored), content(answer.data)), answer.etag) }))));
      notice.focus();
    }

    function submit() {
      clearErrors(box);
      const read = values();
      const wrong = local(read);
      if (wrong.length) showErrors(box, wrong);
      else send(read, tag);
    }

    async function send(body, version) {
      fill(notice);
      save.disabled = true;
      try {
        const answer = await request('PUT', PATH, { body, headers: { 'If-Match': version } });
        if (signal.aborted) return;
        paint(answer.data, answer.etag);
        document.querySelector('h1').focus();
        toast('The settings are saved. They are in force everywhere within 30 seconds.');
      } catch (error) {
        save.disabled = false;
        if (error.status === 401 || signal.aborted) return;
        if (error.status === 412) {
          try {
            conflict(await get(PATH, signal));
          } catch (later) {
            fill(notice, failure(later));
          }
          return;
        }
        const rest = error.errors?.length ? showErrors(box, error.errors) : [];
        if (rest.length || !error.errors?.length) fill(notice, failure(error));
      }
    }

    const fields = (wanted) => NUMBERS.filter(([group]) => group === wanted).map(([group, key, label, bounds, means]) =>
      field(key, `${label} (${bounds.unit})`, numbers.get(`${group}.${key}`), means));
    const part = (name, lead, ...body) => card(name, h('div', { class: 'stack' }, lead && h('p', { class: 'muted' }, lead), body));
    const box = h('form', { class: 'stack wide', novalidate: true, oninput: remember, onchange: remember, onsubmit: (event) => { event.preventDefault(); submit(); } },
      notice,
      h('div', { class: 'halves' },
        h('div', { class: 'stack wide' },
          part('Thresholds', 'How sure is sure enough.', h('div', { class: 'grid' }, fields('thresholds'))),
          part('Automatic approval', 'Offers that a crawl finds skip the queue when all of this holds.',
            h('label', { class: 'check' }, enabled, ' Approve by rule'),
            field('retailers', 'Retailers', sold, `Only offers of these; parted by commas.${retailers.length ? ` Known: ${retailers.join(', ')}.` : ''}`),
            h('div', { class: 'grid' }, fields('auto_approval')))),
        h('div', { class: 'stack wide' },
          part('AI providers', 'The first that answers is taken; the next stands in for it, as it does for one whose budget of the day is spent.', providers.node, h('div', { class: 'grid' }, fields('daily_budget_dollars'))),
          part('Retention', 'What is over is deleted after this time.', h('div', { class: 'grid' }, fields('retention_days'))))),
      h('div', { class: 'actions end save-bar' }, h('p', { class: 'fine' }, stored.updated_at ? ['Version ', stored.version, ', changed ', h('time', { datetime: stored.updated_at, title: dateTime(stored.updated_at) }, ago(stored.updated_at))] : 'Nothing was changed yet: these are the defaults'), hint, reset, save));
    remember();
    return box;
  }

  const paint = (stored, tag) => fill(region, form(stored, tag));
  load(region, {
    signal, waiting: [skeleton(2, 'tile')],
    read: async () => {
      const [answer, numbers] = await Promise.all([get(PATH, signal), stats(signal).catch(() => ({}))]);
      retailers = Object.keys(numbers.by_retailer ?? {}).sort();
      return answer;
    },
    show: ({ data, etag }) => form(data, etag),
  });
  return [heading('Settings', { lead: 'In force at once, without a deployment. Each change is in the audit log.' }), region];
}
