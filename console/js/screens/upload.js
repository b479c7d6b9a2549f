import { ApiError, Intent, follow, multipart, post, request } from '../api.js';
import { stats } from '../catalog.js';
import { h, fill, uid } from '../dom.js';
import { evidenceList } from '../evidence.js';
import { bytes, count, plural, title as named } from '../format.js';
import { replace } from '../router.js';
import { announce, button, card, chip, empty, failure, field, heading, icon, link, meter, note, progress, skeleton, stepped, table } from '../ui.js';

export const title = 'Upload';

const LIMIT = 10 * 1024 * 1024;
const STEPS = ['Choose a file', 'Check', 'Result'];

function steps(now) {
  return h('ol', { class: 'steps' }, STEPS.map((name, i) =>
    h('li', { class: i < now ? 'done' : i === now ? 'now' : '', 'aria-current': i === now && 'step' },
      h('span', { class: 'step-dot', 'aria-hidden': 'true' }, i < now ? icon('check') : String(i + 1)), name)));
}

export function screen({ id, signal }) {
  const track = h('div', {});
  const stage = h('div', { class: 'stack' });
  const sending = new Intent();
  const confirming = new Intent();

  const stop = (error) => error.name === 'AbortError' || error.status === 401 || signal.aborted;

  function move(step, ...content) {
    fill(track, steps(step));
    fill(stage, content);
  }

  function choose(trouble) {
    replace('/upload');
    let file = null;
    const input = h('input', { type: 'file', id: uid('file'), class: 'sr', accept: '.csv,.xlsx,text/csv' });
    const known = h('datalist', { id: uid('retailers') });
    const retailer = h('input', { type: 'text', autocomplete: 'off', list: known.id, placeholder: 'keells', spellcheck: 'false' });
    const chosen = h('p', { class: 'chosen', role: 'status' });
    const problem = h('div', {}, trouble && failure(trouble));
    const submit = h('button', { type: 'submit', class: 'btn primary' }, h('span', {}, 'Check the file'));
    const drop = h('label', { class: 'drop', for: input.id }, icon('upload'),
      h('span', { class: 'drop-title' }, 'Drop a CSV or XLSX file here'), h('span', { class: 'muted' }, 'or choose one from this computer'), chosen);

    const pick = (given) => {
      file = null;
      chosen.textContent = '';
      fill(problem);
      if (!given) return;
      const wrong = !/\.(csv|xlsx)$/i.test(given.name) ? 'Only CSV and XLSX files can be read.'
        : given.size > LIMIT ? `The file has ${bytes(given.size)}; the limit is 10 MB.`
          : given.size === 0 ? 'The file is empty.' : '';
      if (wrong) {
        fill(problem, failure(new ApiError(1, { title: given.name, detail: wrong })));
        return;
      }
      file = given;
      chosen.textContent = `${given.name} · ${bytes(given.size)}`;
      drop.classList.add('has');
    };
    input.addEventListener('change', () => pick(input.files[0]));
    for (const kind of ['dragenter', 'dragover']) drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add('over'); });
    for (const kind of ['dragleave', 'drop']) drop.addEventListener(kind, () => drop.classList.remove('over'));
    drop.addEventListener('drop', (event) => { event.preventDefault(); pick(event.dataTransfer.files[0]); });

    const form = h('form', {
      class: 'stack', novalidate: true,
      onsubmit: (event) => {
        event.preventDefault();
        if (!file) {
          fill(problem, failure(new ApiError(1, { title: 'No file yet', detail: 'Choose a CSV or XLSX file first.' })));
          input.focus();
          return;
        }
        send(file, retailer.value.trim());
      },
    }, problem, input, drop,
    field('retailer', 'Default retailer (optional)', retailer, 'Used for rows that name no retailer of their own.'), known,
    h('div', { class: 'actions end' }, link('Template', '/products-template.csv', { kind: 'quiet', glyph: 'download', download: '' }), submit));

    move(0, h('div', { class: 'columns' }, card('File', form),
      card('What is read', h('div', { class: 'stack prose' },
        h('p', {}, 'The first row names the columns. Columns that are not known are left out and listed.'),
        h('p', {}, ['name', 'brand', 'size', 'category', 'retailer', 'retailer_sku', 'price', 'currency', 'url', 'image', 'description'].map((c) => [h('code', {}, c), ' '])),
        h('p', { class: 'muted' }, 'Up to 10,000 rows and 10 MB. Nothing is stored before you confirm.')))));
    stats(signal).then((s) => fill(known, Object.keys(s.by_retailer ?? {}).map((r) => h('option', { value: r }, named(r)))), () => {});
  }

  async function send(file, retailer) {
    const bar = progress('Reading the file…');
    const path = '/api/products/preview';
    const mark = [file.name, file.size, file.lastModified, retailer].join('|');
    const key = sending.key(mark);
    move(1, card('Checking', bar.node));
    bar.set(null, `Sending ${file.name}…`);
    try {
      const { data } = await request('POST', path, { body: multipart(key, file, retailer ? { retailer } : {}), headers: { 'Idempotency-Key': key } });
      sending.settle();
      if (signal.aborted) return;
      const upload = data.preview?.upload_id ?? data.upload_id;
      replace(`/upload/${encodeURIComponent(upload)}`);
      if (data.preview) review(upload, data.preview);
      else await watch(upload, bar);
    } catch (error) {
      sending.settle(error);
      if (stop(error)) return;
      const again = error.retryable ? () => send(file, retailer) : null;
      move(0, failure(error, again), h('div', {}, button('Choose another file', { onclick: () => choose() })));
    }
  }

  async function watch(upload, bar = progress('Reading…')) {
    if (!bar.node.isConnected) move(1, card('Working', bar.node));
    const done = await follow(`/api/products/uploads/${encodeURIComponent(upload)}`, (x) => !['previewing', 'confirming', 'queued', 'pending'].includes(x.status), {
      signal,
      onUpdate: ({ status, progress: p }) => bar.set(p?.total ? p.percent : null,
        p?.total ? `${status === 'confirming' ? 'Writing' : 'Checking'} ${count(p.done)} of ${plural(p.total, 'row')}` : 'Working…'),
    });
    if (done.status === 'confirmed') finish(done.result ?? {});
    else if (done.preview && done.status === 'previewed') review(upload, done.preview);
    else throw new ApiError(1, { title: 'The upload failed', detail: problemText(done.error) });
  }

  const problemText = (error) => (typeof error === 'string' ? error : error?.detail) || 'The file could not be worked through.';

  function review(upload, preview) {
    const { total = 0, duplicates = 0, invalid = 0, ignored = [], errors = [], duplicate_details: details = [] } = preview;
    const fresh = preview.new ?? 0;
    const figure = (label, n, tone, hint) => h('div', { class: `figure ${n ? tone : ''}` }, h('h3', {}, label), h('p', { class: 'big tabular' }, count(n)), h('p', { class: 'muted' }, hint));
    const group = uid('accept');
    let accept = fresh || !duplicates ? 'new' : 'all';
    const choice = (value, label, hint) => h('label', { class: 'choice' },
      h('input', { type: 'radio', name: group, value, checked: accept === value, onchange: () => { accept = value; paint(); } }),
      h('span', {}, h('b', {}, label), h('span', { class: 'muted' }, hint)));
    const problem = h('div', {});
    const go = button('', { kind: 'primary', onclick: () => commit(upload, accept, problem, go) });
    const paint = () => {
      const n = accept === 'all' ? fresh + duplicates : fresh;
      go.lastChild.textContent = n ? `Confirm ${plural(n, 'row')}` : 'Nothing to confirm';
      go.disabled = n === 0;
    };
    paint();
    const title2 = h('h2', { tabindex: '-1' }, `${plural(total, 'row')} read`);
    move(1,
      h('section', { class: 'card', 'aria-label': 'Summary' }, h('div', { class: 'card-head' }, title2),
        h('div', { class: 'figures' },
          figure('New', fresh, 'good', 'will be added'), figure('Duplicates', duplicates, 'warn', 'are in the catalogue already'),
          figure('Invalid', invalid, 'bad', 'cannot be stored'), figure('Columns left out', ignored.length, 'plain', 'not known')),
        ignored.length > 0 && h('p', { class: 'tags' }, h('span', { class: 'muted' }, 'Left out: '), ignored.map((c) => chip(String(c))))),
      card('What to store', h('div', { class: 'stack' },
        h('fieldset', { class: 'choices' }, h('legend', { class: 'sr' }, 'Rows to store'),
          choice('new', 'Only new products', `${plural(fresh, 'row')} added, duplicates skipped`),
          choice('all', 'New products and duplicates', `${count(fresh)} added, ${count(duplicates)} existing updated`)),
        problem,
        h('div', { class: 'actions end' }, button('Start over', { kind: 'quiet', onclick: () => choose() }), go))),
      errors.length > 0 && card(`Rows with errors`, stepped(errors, 50, (some) => table({
        caption: 'Rows with errors', columns: [{ label: 'Row', kind: 'num narrow', row: true }, { label: 'Field' }, { label: 'What is wrong' }],
        rows: some.map((e) => ({ cells: [count(e.row), h('code', {}, e.field ?? '–'), e.message] })),
      })), { class: 'card flush' }),
      details.length > 0 && card('Duplicates', stepped(details, 50, (some) => table({
        caption: 'Duplicates', columns: [{ label: 'Row', kind: 'num narrow', row: true }, { label: 'Duplicate of' }, { label: 'Confidence', kind: 'c-meter' }, { label: 'Evidence' }],
        rows: some.map((d) => ({
          cells: [count(d.row), d.duplicate_of_row ? `Row ${count(d.duplicate_of_row)} of this file` : h('a', { href: `#/products/${encodeURIComponent(d.product_id)}` }, h('code', {}, d.product_id)),
            meter(d.confidence, `Confidence for row ${d.row}`),
            d.evidence?.length ? h('details', {}, h('summary', {}, plural(d.evidence.length, 'point')), evidenceList(d.evidence)) : '–'],
        })),
      })), { class: 'card flush' }));
    if (preview.truncated) stage.append(note('info', null, h('p', {}, 'The lists above stop at 1,000 entries; the counts are complete.')));
    announce(`${plural(total, 'row')} read: ${count(fresh)} new, ${count(duplicates)} duplicates, ${count(invalid)} invalid.`);
    title2.focus({ preventScroll: true });
  }

  async function commit(upload, accept, problem, go) {
    go.disabled = true;
    fill(problem);
    try {
      const { data, status } = await post('/api/products/confirm', { upload_id: upload, accept }, confirming);
      if (signal.aborted) return;
      if (status === 202) await watch(upload, progress('Writing…'));
      else finish(data);
    } catch (error) {
      if (stop(error)) return;
      if (!go.isConnected) move(1, failure(error, error.retryable ? () => resume(upload) : null));
      else fill(problem, failure(error));
      go.disabled = false;
    }
  }

  function finish({ inserted = 0, updated = 0, skipped = 0, failed = 0 }) {
    const row = (label, n, tone) => h('div', { class: `figure ${n ? tone : ''}` }, h('h3', {}, label), h('p', { class: 'big tabular' }, count(n)));
    const title2 = h('h2', { tabindex: '-1' }, 'The upload is stored');
    move(2, h('section', { class: 'card' }, h('div', { class: 'card-head' }, title2),
      h('div', { class: 'figures' }, row('Added', inserted, 'good'), row('Updated', updated, 'good'), row('Skipped', skipped, 'plain'), row('Failed', failed, 'bad')),
      failed > 0 && note('bad', null, h('p', {}, `${plural(failed, 'row')} held errors and ${failed === 1 ? 'was' : 'were'} left out. Correct the file and upload it again: rows that are stored already are recognised.`)),
      h('div', { class: 'actions' }, link('See the newest products', '#/products?sort=-created_at', { kind: 'primary' }), button('Upload another file', { onclick: () => choose() }))));
    announce(`${count(inserted)} added, ${count(updated)} updated, ${count(skipped)} skipped, ${count(failed)} failed.`);
    title2.focus({ preventScroll: true });
  }

  // The address names the upload, so that a reload or a second visit finds it where it stands.
  async function resume(upload) {
    move(1, card('Upload', skeleton(4)));
    try {
      await watch(upload);
    } catch (error) {
      if (stop(error)) return;
      move(1, error.status === 404 ? empty('This upload is no longer kept', 'Choose the file again.', button('Choose a file', { onclick: () => choose() }))
        : failure(error, error.retryable ? () => resume(upload) : null));
    }
  }

  if (id) resume(id);
  else choose();
  return [heading('Upload', { lead: 'Add a retailer’s price list. You see what would change before anything is stored.' }), track, stage];
}
