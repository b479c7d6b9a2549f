import { Intent, get, post, request } from '../api.js';
import { Categories, categories } from '../catalog.js';
import { h, fill, webUrl } from '../dom.js';
import { evidenceOf } from '../evidence.js';
import { ago, dateTime, title as named } from '../format.js';
import { onSignOut } from '../session.js';
import { pictureCard } from './product_picture.js';
import { priceCard } from './product_prices.js';
import { button, card, clearErrors, dialog, empty, failure, field, heading, icon, link, load, meter, money, note, picture, select, showErrors, skeleton, state, table, toast } from '../ui.js';

export const title = 'Product';

const EDITABLE = ['name', 'brand', 'size', 'category', 'url', 'description', 'price', 'currency'];
const LABELS = { name: 'Name', brand: 'Brand', size: 'Size', category: 'Category', url: 'Source address', description: 'Description', price: 'Price', currency: 'Currency' };

// Edits outlive a change of screen and the sign-in after an ended session, until saved or dropped.
const drafts = new Map();
onSignOut(() => drafts.clear());

const asText = (product) => Object.fromEntries(EDITABLE.map((key) => {
  const value = product[key];
  if (value === null || value === undefined) return [key, ''];
  const text = String(value);
  // Most currencies have two decimals, a few have three; none is cut off here.
  return [key, key === 'price' && (text.split('.')[1] ?? '').length < 2 ? value.toFixed(2) : text];
}));
const sameAs = (a, b) => EDITABLE.every((key) => a[key] === b[key]);

function toBody(values) {
  return { ...values, price: Number(values.price), url: values.url || null, description: values.description || null };
}

function localErrors(values) {
  const errors = [];
  if (!values.name) errors.push({ field: 'name', message: 'Enter a name.' });
  if (!/^\d{1,9}(\.\d{1,3})?$/.test(values.price)) errors.push({ field: 'price', message: 'Enter an amount such as 480 or 480.50.' });
  if (!/^[A-Z]{3}$/.test(values.currency)) errors.push({ field: 'currency', message: 'Three capital letters, such as LKR.' });
  if (values.url && !webUrl(values.url)) errors.push({ field: 'url', message: 'Enter a full address that begins with https://.' });
  return errors;
}

export function screen({ id, signal }) {
  const path = `/api/products/${encodeURIComponent(id)}`;
  const root = h('div', {});
  let product;
  let etag;
  let kinds = new Categories([]);
  // Kept while the page is painted anew, unless the price has changed.
  let prices = null;

  const take = (answer) => {
    product = answer.data.product ?? answer.data;
    etag = answer.etag ?? `"${product.version}"`;
  };

  function controls(values) {
    const text = (props = {}) => h('input', { type: 'text', autocomplete: 'off', ...props });
    const made = {
      name: text({ required: true }),
      brand: text(),
      size: text({ placeholder: '1 L, 500 g, 6 × 330 ml' }),
      category: select([['', 'No category'], ...kinds.options(values.category)], values.category),
      price: text({ inputmode: 'decimal', required: true, class: 'tabular' }),
      currency: text({ maxlength: 3, class: 'upper' }),
      url: text({ inputmode: 'url', placeholder: 'https://' }),
      description: h('textarea', { rows: 4 }),
    };
    for (const key of EDITABLE) made[key].value = values[key];
    return made;
  }

  function editor() {
    const stored = asText(product);
    const draft = drafts.get(id);
    const restored = draft !== undefined && !sameAs(draft.values, stored);
    // A draft is saved against the version it was written on, so that a change in between is noticed.
    let tag = restored ? draft.etag : etag;
    const base = restored ? draft.base : stored;
    const made = controls(restored ? draft.values : stored);
    const notice = h('div', { tabindex: '-1' });
    const hint = h('p', { class: 'fine', role: 'status' });
    const save = h('button', { type: 'submit', class: 'btn primary' }, h('span', {}, 'Save changes'));
    const reset = button('Discard changes', { kind: 'quiet', onclick: () => { drafts.delete(id); paint(); } });
    const values = () => {
      const read = Object.fromEntries(EDITABLE.map((key) => [key, made[key].value.trim()]));
      read.currency = read.currency.toUpperCase();
      return read;
    };
    const remember = () => {
      const dirty = !sameAs(values(), base);
      if (dirty) drafts.set(id, { values: values(), etag: tag, base });
      else drafts.delete(id);
      reset.hidden = !dirty;
      hint.textContent = dirty ? 'Unsaved changes' : '';
    };

    function conflict(now) {
      const theirs = asText(now.data);
      const mine = values();
      const edited = EDITABLE.filter((key) => mine[key] !== base[key]);
      const apart = EDITABLE.filter((key) => theirs[key] !== mine[key]);
      // Fields left alone here take the stored value: saving must not undo the other's change.
      const keep = () => {
        for (const key of EDITABLE) if (!edited.includes(key)) made[key].value = theirs[key];
        tag = now.etag;
        submit();
      };
      fill(notice, note('warn', 'Someone else changed this product meanwhile',
        h('p', {}, 'Nothing of yours is lost: your edits are still in the form. Compare, then choose.'),
        apart.length > 0 && table({
          caption: 'Your edits beside the stored product', kind: 'compact',
          columns: [{ label: 'Field', row: true }, { label: 'Yours' }, { label: 'Stored now' }],
          rows: apart.map((key) => ({ cells: [LABELS[key], edited.includes(key) ? mine[key] || 'empty' : h('span', { class: 'muted' }, 'not edited'), theirs[key] || 'empty'] })),
        }),
        h('div', { class: 'actions' },
          button('Reload the stored product', { onclick: () => { drafts.delete(id); take(now); paint(); toast('The stored product is shown.'); } }),
          button('Keep my edits and save', { kind: 'primary', onclick: keep }))));
      notice.focus();
    }

    async function submit() {
      const mine = values();
      clearErrors(form);
      fill(notice);
      const wrong = localErrors(mine);
      if (wrong.length) {
        showErrors(form, wrong);
        return;
      }
      save.disabled = true;
      try {
        const answer = await request('PUT', path, { body: toBody(mine), headers: { 'If-Match': tag } });
        drafts.delete(id);
        if (!answer.etag) take(await get(path));
        else take(answer);
        if (signal.aborted) return;
        paint();
        root.querySelector('h1').focus();
        toast('Changes saved.');
      } catch (error) {
        save.disabled = false;
        if (error.status === 401 || signal.aborted) return;
        if (error.status === 412) {
          try {
            conflict(await get(path, signal));
          } catch (later) {
            fill(notice, failure(later));
          }
        } else {
          const rest = error.errors?.length ? showErrors(form, error.errors) : [];
          if (rest.length || !error.errors?.length) fill(notice, failure(error));
        }
      }
    }

    const form = h('form', { class: 'editor', novalidate: true, oninput: remember, onchange: remember, onsubmit: (event) => { event.preventDefault(); submit(); } },
      notice,
      restored && note('info', 'Your unsaved changes are back', h('p', {}, 'They were kept when you left this product.')),
      h('div', { class: 'grid' },
        field('name', LABELS.name, made.name),
        field('brand', LABELS.brand, made.brand), field('size', LABELS.size, made.size),
        field('category', LABELS.category, made.category),
        h('div', { class: 'pair' }, field('price', LABELS.price, made.price), field('currency', LABELS.currency, made.currency)),
        field('url', LABELS.url, made.url, 'Where the retailer shows this product.'),
        field('description', LABELS.description, made.description)),
      h('div', { class: 'actions end' }, hint, reset, save));
    remember();
    return form;
  }

  function facts() {
    const source = product.url && webUrl(product.url);
    const row = (name, value) => value && h('div', {}, h('dt', {}, name), h('dd', {}, value));
    const time = (text) => h('time', { datetime: text, title: ago(text) }, dateTime(text));
    return h('dl', { class: 'facts' },
      row('Retailer', named(product.retailer)), row('Retailer SKU', product.retailer_sku && h('code', {}, product.retailer_sku)),
      row('Category', product.category && kinds.label(product.category)),
      row('Source', source && h('a', { href: source.href, target: '_blank', rel: 'noopener noreferrer' }, source.hostname, icon('link'), h('span', { class: 'sr' }, ' (opens in a new tab)'))),
      row('Created', time(product.created_at)), row('Changed', time(product.updated_at)),
      row('Version', product.version && String(product.version)), row('Id', h('code', {}, product.id)));
  }

  function matchOf({ product: other, confidence, evidence = [] }) {
    const gap = product.price > 0 && other.currency === product.currency ? ((other.price - product.price) / product.price) * 100 : null;
    return h('li', { class: 'match' },
      picture(other),
      h('div', { class: 'match-main' },
        h('a', { href: `#/products/${encodeURIComponent(other.id)}` }, other.name),
        h('p', { class: 'sub' }, [named(other.retailer), other.size].filter(Boolean).join(' · '))),
      h('div', { class: 'match-price' }, money(other.price, other.currency),
        gap !== null && h('span', { class: `gap ${gap < -0.05 ? 'good' : gap > 0.05 ? 'bad' : ''}` }, Math.abs(gap) <= 0.05 ? 'same price' : `${Math.abs(gap).toFixed(1)} % ${gap < 0 ? 'cheaper' : 'dearer'}`)),
      meter(confidence, `Confidence that ${other.name} is the same product`),
      evidence.length > 0 && h('details', {}, h('summary', {}, 'Evidence'), evidenceOf(evidence, confidence)));
  }

  function matches() {
    const region = h('div', {});
    load(region, {
      signal, waiting: skeleton(3, 'row'),
      read: () => get(`${path}/matches`, signal),
      show: ({ data }) => (data.matches?.length
        ? h('ul', { class: 'matches' }, data.matches.map(matchOf))
        : empty('No matches yet', 'Offers of other retailers appear here once they are found to be the same product.')),
    });
    return card('Same product elsewhere', region);
  }

  function actions() {
    const intent = new Intent();
    if (product.status === 'deleted') {
      const restore = button('Restore', {
        kind: 'primary', glyph: 'refresh',
        onclick: async () => {
          restore.disabled = true;
          try {
            await post(`${path}/restore`, undefined, intent);
            take(await get(path, signal));
            paint();
            root.querySelector('h1').focus();
            toast(product.status === 'active' ? 'The product is back in the catalogue.' : `The product is ${product.status} again.`);
          } catch (error) {
            restore.disabled = false;
            if (error.status !== 401) toast(error.message, 'bad');
          }
        },
      });
      return [restore];
    }
    return [link('Classify', `#/classify?product=${encodeURIComponent(id)}`, { glyph: 'classify', 'aria-label': 'Classify this product' }), link('Alert', `#/alerts?product=${encodeURIComponent(id)}`, { glyph: 'alerts', 'aria-label': 'Set a price alert' }), button('Delete', {
      kind: 'danger', glyph: 'trash',
      onclick: () => dialog({
        title: 'Delete this product?', confirm: 'Delete', tone: 'danger solid',
        body: [h('p', {}, h('b', {}, product.name), ' leaves the catalogue. It can be restored from this page.')],
        act: async () => {
          await request('DELETE', path, { headers: { 'If-Match': etag } });
          toast('The product is deleted.');
          // After a soft delete the page stays, to offer the way back; a backend may also hide it.
          try {
            take(await get(path, signal));
          } catch (error) {
            if (error.status !== 404) throw error;
            product = { ...product, status: 'deleted' };
          }
          drafts.delete(id);
          paint();
          root.querySelector('h1').focus();
        },
      }),
    })];
  }

  function priceHistory() {
    if (prices?.price !== product.price) prices = { price: product.price, node: priceCard(product, signal) };
    return prices.node;
  }

  // Most products stand by themselves; the others fetch what shows their group.
  function merged() {
    if (!product.group_id) return null;
    const box = h('div', {});
    import('./product_group.js').then(({ groupCard }) => fill(box, groupCard(product, signal, async () => renew(await get(path, signal)))), (error) => fill(box, failure(error)));
    return box;
  }

  // The answer is the very next version, so what is being edited stands on it as well.
  function renew(answer) {
    const draft = drafts.get(id);
    if (draft?.etag === etag) drafts.set(id, { ...draft, etag: answer.etag });
    take(answer);
    paint();
    root.querySelector('h1').focus();
  }

  function paint() {
    document.title = `${product.name} · Shopple Admin`;
    const gone = product.status === 'deleted';
    fill(root,
      heading(product.name, {
        crumbs: h('nav', { class: 'crumbs', 'aria-label': 'Breadcrumb' }, h('a', { href: '#/products' }, 'Catalogue'), icon('more'), h('span', {}, named(product.retailer))),
        actions: actions(),
      }),
      h('div', { class: 'hero card' }, picture(product),
        h('div', { class: 'hero-text' }, h('p', { class: 'hero-price' }, money(product.price, product.currency)),
          h('p', { class: 'muted' }, [product.brand, product.size, named(product.retailer)].filter(Boolean).join(' · '))),
        state(product.status)),
      gone && note('warn', 'This product is deleted', h('p', {}, 'It is no longer part of the catalogue. Restore it to edit it.')),
      h('div', { class: 'columns' },
        h('div', { class: 'stack' }, priceHistory(), merged(), !gone && card('Details', editor()), matches()),
        h('div', { class: 'stack' }, card('Facts', facts()), !gone && pictureCard(product, etag, renew))));
  }

  async function open() {
    fill(root, heading('Product'), skeleton(7));
    try {
      const [answer, list] = await Promise.all([get(path, signal), categories(signal).catch(() => [])]);
      take(answer);
      kinds = new Categories(list, [product.category]);
    } catch (error) {
      if (error.name === 'AbortError' || error.status === 401) return;
      const missing = error.status === 404;
      fill(root, heading(missing ? 'Product not found' : 'Product', { actions: [link('Back to the catalogue', '#/products')] }), failure(error, missing ? null : open));
      return;
    }
    // The heading that has the focus is replaced by the product's own.
    const focused = root.contains(document.activeElement);
    paint();
    if (focused) root.querySelector('h1').focus({ preventScroll: true });
  }
  open();
  return root;
}
