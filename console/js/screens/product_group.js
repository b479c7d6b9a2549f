// The offers that were merged with this one, and the way out of the merge.
import { Intent, get, post } from '../api.js';
import { h } from '../dom.js';
import { ago, dateTime, plural, title as named } from '../format.js';
import { button, card, chip, dialog, load, money, picture, skeleton, toast } from '../ui.js';

const DONE = { merged: 'merged', unmerged: 'taken out', joined: 'joined from another group', restored: 'put back into a group of their own', deleted: 'deleted' };

// `changed` is called once offers have left the group.
export function groupCard(product, signal, changed) {
  const region = h('div', {});

  function leave({ title, text, confirm, ids }) {
    const intent = new Intent();
    dialog({
      title, confirm,
      body: [h('p', {}, text), h('p', { class: 'muted' }, 'An offer that leaves is again what it was, with what was changed since.')],
      act: async () => {
        const { data } = await post('/api/products/unmerge', { group_id: product.group_id, product_ids: ids }, intent);
        toast(data.remaining.length ? `${plural(data.removed.length, 'offer')} taken out; ${plural(data.remaining.length, 'offer')} still merged.` : 'The offers stand by themselves again.');
        await changed();
      },
    });
  }

  const all = button('Unmerge', {
    kind: 'small danger',
    onclick: () => leave({ title: 'Unmerge all offers?', text: 'Every merge of this group is undone.', confirm: 'Unmerge' }),
  });

  const offerOf = (offer, primary) => h('li', { class: 'match' }, picture(offer),
    h('div', { class: 'match-main' },
      offer.id === product.id ? h('b', {}, offer.name) : h('a', { href: `#/products/${encodeURIComponent(offer.id)}` }, offer.name),
      h('p', { class: 'sub' }, [named(offer.retailer), offer.size].filter(Boolean).join(' · '), ' ', offer.id === primary && chip('Primary', 'good'), ' ', offer.id === product.id && chip('This offer'))),
    h('div', { class: 'match-price' }, money(offer.price, offer.currency)),
    button('Take out', { kind: 'small', 'aria-label': `Take out ${offer.name}, ${named(offer.retailer)}`, onclick: () => leave({ title: `Take out ${offer.name}?`, text: `The offer of ${named(offer.retailer)} leaves the group.`, confirm: 'Take out', ids: [offer.id] }) }));

  const line = ({ action, at, product_ids: ids }) => h('li', {}, h('span', {}, `${plural(ids.length, 'offer')} ${DONE[action] ?? action}`), h('time', { class: 'muted', datetime: at, title: dateTime(at) }, ago(at)));

  load(region, {
    signal, waiting: skeleton(2, 'row'),
    read: () => get(`/api/products/groups/${encodeURIComponent(product.group_id)}`, signal),
    show: ({ data }) => [
      h('ul', { class: 'matches', 'aria-label': 'Merged offers' }, data.offers.map((offer) => offerOf(offer, data.primary_id))),
      h('details', { class: 'fold' }, h('summary', {}, 'What was merged when'), h('ul', { class: 'items' }, data.history.map(line))),
    ],
  });
  return card('Merged offers', region, { actions: all });
}
