import { Intent, get, post, query as toQuery, request } from '../api.js';
import { Categories, categories, stats } from '../catalog.js';
import { h, fill, uid } from '../dom.js';
import { ago, count, dateTime, plural, price, title as named } from '../format.js';
import { pages } from '../pages.js';
import { replace } from '../router.js';
import { announce, button, card, chip, dialog, empty, failure, field, heading, iconButton, note, select, table, toast } from '../ui.js';

export const title = 'Price alerts';

const PATH = '/api/prices/alerts';
const KINDS = [['up', 'rises by'], ['down', 'falls by'], ['below', 'is below']];
const CHANNELS = [['slack', 'Slack'], ['webhook', 'A webhook']];

const refuse = (name, message) => Object.assign(new Error(message), { errors: [{ field: name, message }] });

// A search whose answers are chosen from; it begins with a product that is known already.
function productChoice(signal, first) {
  const box = h('div', { class: 'picker' });
  const words = h('input', { type: 'search', autocomplete: 'off', placeholder: 'Two letters or more' });
  const name = uid('product');
  let asked = 0;
  let typing;
  const offer = (p, checked) => h('label', { class: 'check' }, h('input', { type: 'radio', name, value: p.id, checked }), h('span', {}, p.name, h('span', { class: 'sub' }, ` ${named(p.retailer)}`)));
  async function seek() {
    asked += 1;
    const mine = asked;
    const q = words.value.trim();
    if (q.length < 2) return;
    try {
      const { data } = await get(`/api/products/search${toQuery({ q, limit: 6 })}`, signal);
      if (mine !== asked) return;
      fill(box, data.products.length ? data.products.map((p, i) => offer(p, i === 0)) : h('p', { class: 'hint' }, 'No product is like that.'));
      announce(plural(data.products.length, 'product'));
    } catch (error) {
      if (mine === asked && error.name !== 'AbortError') fill(box, failure(error));
    }
  }
  words.addEventListener('input', () => {
    clearTimeout(typing);
    typing = setTimeout(seek, 250);
  });
  if (first) fill(box, offer(first, true));
  return { node: h('div', { class: 'stack tight' }, field('product_id', 'Product', words), box), value: () => box.querySelector(':checked')?.value };
}

// Shown once: the server keeps it where nobody can read it again.
function secretDialog({ name, webhook_secret: secret }) {
  const shown = h('code', { class: 'secret', tabindex: '0' }, secret);
  dialog({
    title: 'The webhook’s secret', cancel: 'Done',
    body: [
      note('warn', 'It is shown this once', h('p', {}, `Each message of “${name}” is signed with it. Store it where the receiver can read it.`)), shown,
      button('Copy', { onclick: async () => {
        try {
          await navigator.clipboard.writeText(secret);
          toast('Copied.');
        } catch {
          getSelection().selectAllChildren(shown);
          announce('Marked; copy it with the keyboard.');
        }
      } }),
    ],
  });
}

export function screen({ path, query, signal }) {
  const list = pages({ path: PATH, of: 'alerts', paint: () => paint(), signal, waiting: 5 });
  let kinds = new Categories([]);
  let retailers = [];

  const rule = (a) => (a.kind === 'below' ? `Below ${a.currency} ${price(a.price)}` : `${a.kind === 'up' ? 'Up' : 'Down'} ${a.percent} % or more`);

  function create(first) {
    const intent = new Intent();
    const product = productChoice(signal, first);
    const made = {
      name: h('input', { type: 'text', maxlength: 100, autocomplete: 'off', value: first ? `${first.name}`.slice(0, 100) : '' }),
      target: select([['product', 'One product'], ['category', 'A category']], 'product'),
      category: select([['', 'Choose a category'], ...kinds.options()], ''),
      retailer: select([['', 'Any retailer'], ...retailers.map((x) => [x, named(x)])], ''),
      kind: select(KINDS, 'down'),
      percent: h('input', { type: 'text', inputmode: 'decimal', value: '5', class: 'tabular' }),
      price: h('input', { type: 'text', inputmode: 'decimal', class: 'tabular', placeholder: '450.00' }),
      channel: select(CHANNELS, 'slack'),
      webhook_url: h('input', { type: 'text', inputmode: 'url', placeholder: 'https://', autocomplete: 'off' }),
      hysteresis_percent: h('input', { type: 'text', inputmode: 'decimal', value: '2', class: 'tabular' }),
      quiet_minutes: h('input', { type: 'number', min: 0, max: 10080, step: 1, value: 60, class: 'tabular' }),
    };
    let done = null;
    const parts = {
      category: field('category', 'Category', made.category), percent: field('percent', 'Percent', made.percent), price: field('price', `Price (${first?.currency ?? 'LKR'})`, made.price),
      webhook: field('webhook_url', 'Webhook address', made.webhook_url, 'Each message is signed; the secret is shown once, afterwards.'),
    };
    const adapt = () => {
      const one = made.target.value === 'product';
      product.node.hidden = !one;
      parts.category.hidden = one;
      parts.percent.hidden = made.kind.value === 'below';
      parts.price.hidden = made.kind.value !== 'below';
      parts.webhook.hidden = made.channel.value !== 'webhook';
    };
    const box = dialog({
      title: 'New price alert', confirm: 'Create',
      body: [
        field('name', 'Name', made.name), field('target', 'For', made.target), product.node, parts.category, field('retailer', 'At', made.retailer),
        h('div', { class: 'grid' }, field('kind', 'Tell when the price', made.kind), parts.percent, parts.price),
        field('channel', 'Tell', made.channel), parts.webhook,
        h('details', {}, h('summary', {}, 'Against noise'), h('div', { class: 'grid spaced' },
          field('hysteresis_percent', 'Way back (%)', made.hysteresis_percent, 'How far a price must return before the alert tells again.'), field('quiet_minutes', 'Quiet (minutes)', made.quiet_minutes, 'How long it then keeps silent.'))),
      ],
      act: async () => {
        const number = (key, min) => {
          const value = Number(made[key].value.replace(',', '.'));
          if (!made[key].value.trim() || !Number.isFinite(value) || value < min) throw refuse(key, 'Enter a number.');
          return value;
        };
        const body = { name: made.name.value.trim(), kind: made.kind.value, channel: made.channel.value, hysteresis_percent: number('hysteresis_percent', 0), quiet_minutes: number('quiet_minutes', 0) };
        if (!body.name) throw refuse('name', 'Enter a name.');
        if (made.target.value === 'product') body.product_id = product.value();
        else body.category = made.category.value;
        if (!body.product_id && !body.category) throw refuse(made.target.value === 'product' ? 'product_id' : 'category', 'Choose one.');
        if (made.retailer.value) body.retailer = made.retailer.value;
        if (body.kind === 'below') body.price = number('price', 0);
        else body.percent = number('percent', 0.01);
        if (body.channel === 'webhook') body.webhook_url = made.webhook_url.value.trim();
        if (body.webhook_url === '') throw refuse('webhook_url', 'Enter an address.');
        const { data } = await post(PATH, body, intent);
        list.rows = [data, ...list.rows];
        paint();
        toast('The alert is set.');
        done = data;
      },
    });
    box.classList.add('roomy');
    box.addEventListener('change', adapt);
    box.addEventListener('close', () => { if (done?.webhook_secret) secretDialog(done); });
    adapt();
    made.name.focus();
  }

  const remove = (a) => dialog({
    title: 'Delete this alert?', confirm: 'Delete', tone: 'danger solid',
    body: [h('p', {}, h('b', {}, a.name), ' will tell nobody any more.')],
    act: async () => {
      await request('DELETE', `${PATH}/${encodeURIComponent(a.id)}`);
      list.rows = list.rows.filter((x) => x.id !== a.id);
      paint();
      toast('Alert deleted.');
    },
  });

  function rowOf(a) {
    const target = a.product_id ? h('a', { href: `#/products/${encodeURIComponent(a.product_id)}` }, 'One product') : kinds.label(a.category);
    return {
      cells: [
        h('div', { class: 'product-text' }, h('b', {}, a.name), h('span', { class: 'sub' }, target, a.retailer ? ` at ${named(a.retailer)}` : '')),
        rule(a),
        h('span', { title: a.webhook_url }, a.channel === 'slack' ? 'Slack' : 'Webhook'),
        a.told ? h('span', { title: `Told ${plural(a.told, 'time')}` }, `${count(a.told)} ×, `, h('time', { datetime: a.last_told_at, title: dateTime(a.last_told_at) }, ago(a.last_told_at))) : chip('Not yet'),
        iconButton(`Delete ${a.name}`, 'trash', { onclick: () => remove(a) }),
      ],
    };
  }

  function paint() {
    const { rows } = list;
    list.counted.textContent = rows.length ? `${plural(rows.length, 'alert')}${list.next ? ', more below' : ''}` : '';
    fill(list.results, rows.length
      ? table({ caption: 'Price alerts', columns: [{ label: 'Alert', row: true }, { label: 'Tells when' }, { label: 'To', kind: 'c-mid' }, { label: 'Told', kind: 'c-wide' }, { label: h('span', { class: 'sr' }, 'Delete'), kind: 'num' }], rows: rows.map(rowOf) })
      : empty('No alerts yet', 'An alert tells Slack or a webhook once when a price crosses its line, and again after the price has come back.', button('Set the first', { kind: 'primary', onclick: () => create() })));
  }

  async function open() {
    const [tree, numbers, first] = await Promise.all([categories(signal).catch(() => []), stats(signal).catch(() => ({})), query.product ? get(`/api/products/${encodeURIComponent(query.product)}`, signal).catch(() => null) : null]);
    if (signal.aborted) return;
    kinds = new Categories(tree, Object.keys(numbers.by_category ?? {}));
    retailers = Object.keys(numbers.by_retailer ?? {}).sort();
    await list.read();
    if (first) {
      replace(path, {});
      create(first.data);
    }
  }
  list.wait();
  open();
  return [
    heading('Price alerts', { lead: 'Who is told when a price moves.', actions: [button('New alert', { kind: 'primary', glyph: 'plus', onclick: () => create() })] }),
    card(null, [h('div', { class: 'results-head first' }, list.counted), list.results, list.foot], { class: 'card flush', 'aria-label': 'Alerts' }),
  ];
}
