import { get } from '../api.js';
import { Categories, categories } from '../catalog.js';
import { h, fill } from '../dom.js';
import { REASONS, count, plural, title as named, unanswered } from '../format.js';
import { session } from '../session.js';
import { classify } from '../stream.js';
import { announce, button, card, chip, failure, field, heading, link, meter, note, progress, select, showErrors, clearErrors } from '../ui.js';

export const title = 'Classify';

const MOST = 100;

// One product a line: its name, and after bars its brand and its description.
export function productsOf(text) {
  return text.split('\n').map((line) => line.split('|').map((part) => part.trim())).filter(([name]) => name)
    .map(([name, brand, ...rest]) => ({ name, ...(brand && { brand }), ...(rest.length && rest.join(' | ') && { description: rest.join(' | ') }) }));
}

export function screen({ query, signal }) {
  const lines = h('textarea', { rows: 6, maxlength: 60000, spellcheck: 'false', placeholder: 'Ceylon Tea Bags 100s | Dilmah\nSignal Toothpaste 120 g' });
  const provider = select([['', 'As in the settings']], '');
  const problem = h('div', {});
  const results = h('div', {});
  const bar = progress('');
  const stop = button('Stop', { glyph: 'close', hidden: true, onclick: () => work?.abort() });
  const go = h('button', { type: 'submit', class: 'btn primary' }, h('span', {}, 'Classify'));
  let work = null;
  let kinds = new Categories([]);
  // A product of the catalogue, whose entry in the review queue then names it.
  let known = null;

  function row(product, index) {
    const history = h('ul', { class: 'restarts' });
    const answer = h('div', { class: 'answer' }, h('span', { class: 'muted' }, 'Waits…'));
    const node = h('li', { class: 'classified', 'aria-label': product.name, 'aria-busy': 'true' },
      h('span', { class: 'classified-number tabular', 'aria-hidden': 'true' }, String(index + 1)),
      h('div', { class: 'classified-product' }, h('b', {}, product.name), h('span', { class: 'sub' }, [product.brand, product.description].filter(Boolean).join(' · '))),
      h('div', { class: 'classified-result' }, history, answer));
    return { product, node, history, answer };
  }

  function settled(at, ...content) {
    at.node.removeAttribute('aria-busy');
    fill(at.answer, content);
  }

  const heard = {
    restart: (rows, { index, provider: next, reason }) => rows[index].history.append(
      h('li', {}, chip('Begins again', 'warn'), h('span', {}, `The one before ${REASONS[reason] ?? named(reason).toLowerCase()}; now ${named(next)} is asked.`))),
    result: (rows, data) => settled(rows[data.index],
      h('div', { class: 'classified-head' }, h('b', {}, kinds.label(data.category)), data.needs_review ? chip('Needs review', 'warn') : chip('Sure', 'good'), meter(data.confidence, `Confidence for ${data.product.name}`)),
      h('p', {}, data.rationale), h('p', { class: 'fine' }, data.provider ? `${named(data.provider)} · ${data.model}` : 'Known already')),
    error: (rows, { index, message }) => settled(rows[index], h('div', { class: 'classified-head' }, chip('Failed', 'bad')), h('p', {}, unanswered(message))),
  };

  async function run(body) {
    const rows = body.products.map(row);
    const mine = new AbortController();
    work?.abort();
    work = mine;
    go.disabled = true;
    stop.hidden = false;
    fill(problem);
    bar.set(0, `0 of ${plural(rows.length, 'product')}`);
    fill(results, card(null, [h('div', { class: 'classify-progress' }, bar.node), h('ol', { class: 'classifieds', 'aria-label': 'Results' }, rows.map((x) => x.node))], { class: 'card flush', 'aria-label': 'Results' }));
    let done = 0;
    let said = '';
    try {
      const whole = await classify(body, {
        csrf: session.csrf, signal: AbortSignal.any([signal, mine.signal]),
        begun: (live) => { if (!live) fill(problem, note('info', null, h('p', {}, 'The function’s own address cannot be reached from here, so all results come together.'))); },
        told: (event, data) => {
          heard[event]?.(rows, data);
          if (event === 'progress') {
            done += 1;
            bar.set(data.percent, `${count(done)} of ${plural(rows.length, 'product')}`);
          }
          if (event === 'complete') said = `${count(data.successful)} classified${data.failed ? `, ${count(data.failed)} failed` : ''}`;
        },
      });
      if (whole) bar.set(100, said);
      else {
        said = 'The stream was cut off';
        fill(problem, failure({ title: said, detail: 'What came before it stands below. Try the rest again.' }, () => run({ ...body, products: rows.filter((x) => x.node.hasAttribute('aria-busy')).map((x) => x.product) })));
      }
      announce(said);
    } catch (error) {
      if (error.name === 'AbortError') bar.set((done * 100) / rows.length, `Stopped after ${count(done)} of ${plural(rows.length, 'product')}`);
      else if (error.status !== 401) {
        fill(results);
        const rest = error.errors?.length ? showErrors(form, error.errors) : [];
        if (rest.length || !error.errors?.length) fill(problem, failure(error));
      }
    } finally {
      if (work === mine) {
        go.disabled = false;
        stop.hidden = true;
        for (const x of rows) if (x.node.hasAttribute('aria-busy')) settled(x, h('span', { class: 'muted' }, 'Not classified'));
      }
    }
  }

  function begin(event) {
    event.preventDefault();
    if (go.disabled) return;
    clearErrors(form);
    const products = productsOf(lines.value);
    if (known && products[0]) products[0].id = known;
    const wrong = !products.length ? 'Write at least one product.' : products.length > MOST ? `At most ${MOST} at a time; a batch takes more.` : '';
    if (wrong) showErrors(form, [{ field: 'products', message: wrong }]);
    else run({ products, ...(provider.value && { provider: provider.value }) });
  }

  lines.addEventListener('keydown', (event) => { if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit(); });
  const form = h('form', { class: 'stack', novalidate: true, onsubmit: begin },
    field('products', 'Products', lines, 'One a line: the name, and if you like | brand | description. Ctrl + Enter begins.'),
    h('div', { class: 'classify-with' }, field('provider', 'Begin with', provider), h('div', { class: 'actions' }, stop, go)));

  async function open() {
    const [tree, told] = await Promise.all([categories(signal).catch(() => []), get('/classify/providers', signal).catch(() => null)]);
    if (signal.aborted) return;
    kinds = new Categories(tree);
    if (told) for (const each of told.data.providers.filter((x) => x.configured)) provider.append(h('option', { value: each.name }, named(each.name)));
    if (!query.product) return;
    try {
      const { data } = await get(`/api/products/${encodeURIComponent(query.product)}`, signal);
      known = data.id;
      lines.value = [data.name, data.brand, data.description?.replace(/\s+/g, ' ')].filter(Boolean).join(' | ');
    } catch (error) {
      if (error.name !== 'AbortError') fill(problem, failure(error));
    }
  }

  open();
  return [
    h('link', { rel: 'stylesheet', href: '/classification.css' }),
    heading('Classify', { lead: 'Each result is shown as it comes, and each time that a product begins again with another provider.', actions: [link('Batches', '#/batches', { glyph: 'batches' })] }),
    card('Products', form), problem, results,
  ];
}
