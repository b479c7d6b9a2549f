// Matching the whole catalogue anew: begun here, followed here, and found again after a reload.
import { Intent, follow, post } from '../api.js';
import { h, fill } from '../dom.js';
import { count, percent, plural } from '../format.js';
import { button, dialog, failure, progress, toast } from '../ui.js';

const ENDED = ['completed', 'failed'];

// `remember` keeps the id of the work under way in the address; `finished` is called when it is done.
// `total` tells how many products there are, or 0 until that is known.
export function rematch({ id, signal, total, remember, finished }) {
  const region = h('div', {});
  const start = button('Match all again', { glyph: 'refresh', onclick: () => ask() });

  async function watch(work) {
    const bar = progress('Matching all products again…');
    start.disabled = true;
    remember(work);
    fill(region, h('div', { class: 'card rematch' }, bar.node));
    bar.set(null, 'Matching all products again…');
    try {
      const told = await follow(`/api/products/rematches/${encodeURIComponent(work)}`, (x) => ENDED.includes(x.state), {
        signal,
        onUpdate: (x) => bar.set(x.products_done && total() ? Math.min(99, percent(x.products_done, total())) : null,
          x.blocks_total ? `${count(x.products_done)}${total() ? ` of about ${count(total())}` : ''} products matched, ${plural(x.pairs_found, 'pair')} found; ${count(x.blocks_done)} of ${plural(x.blocks_total, 'block')} done` : 'Preparing…'),
      });
      remember('');
      fill(region);
      if (told.state === 'failed') throw new Error('Matching all again did not finish. What was found so far is kept.');
      toast(`${plural(told.products_done, 'product')} matched again: ${plural(told.pairs_found, 'pair')} found.`);
      finished();
    } catch (error) {
      if (error.name === 'AbortError' || error.status === 401) return;
      remember('');
      fill(region, failure(error, error.retryable ? () => watch(work) : null));
    } finally {
      start.disabled = false;
    }
  }

  function ask() {
    const intent = new Intent();
    let work = null;
    const box = dialog({
      title: 'Match all products again?', confirm: 'Match all',
      body: [h('p', {}, 'Every product is compared anew in the background, with what was learned from decisions. Decisions stay as they are.')],
      act: async () => { work = (await post('/api/products/rematch', {}, intent)).data.rematch_id; },
    });
    box.addEventListener('close', () => { if (work) watch(work); });
  }

  if (id) watch(id);
  return { start, region };
}
