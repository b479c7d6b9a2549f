// What a person says of a group: how it is sent, what is left to ask, and how it is taken back.
import { Intent, get, post } from '../api.js';

const PATH = '/api/products/duplicates';

const idsOf = (group) => group.products.map((p) => p.id);
// The pairs that a decision is about.
const pairsOf = ({ same, different }) => same.flatMap((a, i) => [...same.slice(i + 1), ...different].map((b) => [a, b]));

async function decide(bodies, intent) {
  for (const body of bodies) await post(`${PATH}/decide`, body, intent);
}

// What was decided before is decided so again; the rest is open, as it was.
function takeBack(group, bodies) {
  const intent = new Intent();
  const known = group.pairs.filter((p) => p.decision === 'same');
  const was = (pair) => known.some((p) => pair.includes(p.a) && pair.includes(p.b));
  const pairs = bodies.flatMap(pairsOf);
  const open = pairs.filter((pair) => !was(pair));
  return async () => {
    if (open.length) await post(`${PATH}/reopen`, { pairs: open }, intent);
    await decide(pairs.filter(was).map((pair) => ({ same: pair, different: [] })), intent);
  };
}

function decision(word, group, bodies, left) {
  const intent = new Intent();
  return {
    word, left,
    act: async () => {
      await decide(bodies, intent);
      return takeBack(group, bodies);
    },
  };
}

// The ticked ones are one product, and the others are not that one.
export function same(group, ticked) {
  return decision('same', group, [{ same: [...ticked], different: idsOf(group).filter((id) => !ticked.has(id)) }], null);
}

// Each of the ticked ones is a product of its own; of the others nothing is said.
export function different(group, ticked) {
  const rest = new Set(idsOf(group));
  const bodies = [];
  for (const id of ticked) {
    rest.delete(id);
    if (rest.size) bodies.push({ same: [id], different: [...rest] });
  }
  const pairs = group.pairs.filter((p) => rest.has(p.a) && rest.has(p.b));
  return decision('different', group, bodies, pairs.length ? { ...group, products: group.products.filter((p) => rest.has(p.id)), pairs } : null);
}

// Into a group that was there already, only what came now may leave again.
async function added(group, id) {
  if (!group.products.some((p) => p.group_id)) return undefined;
  const { data } = await get(`/api/products/groups/${encodeURIComponent(id)}`);
  return data.history.find((x) => x.action === 'merged')?.product_ids;
}

export function merge(group, ticked, primary) {
  const [intent, back] = [new Intent(), new Intent()];
  return {
    word: 'merge', left: null,
    act: async () => {
      const { data } = await post('/api/products/merge', { primary_id: primary, duplicate_ids: [...ticked].filter((id) => id !== primary) }, intent);
      const leaving = await added(group, data.group_id);
      return () => post('/api/products/unmerge', { group_id: data.group_id, product_ids: leaving }, back);
    },
  };
}
