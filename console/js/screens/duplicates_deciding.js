// What a person says of a group: how it is sent, what is left to ask, and how it is taken back.
import { Intent, post } from '../api.js';

const PATH = '/api/products/duplicates';

const idsOf = (group) => group.products.map((p) => p.id);
const keyOf = (pair) => [...pair].sort().join(' ');

// The offers that are merged with this one, itself among them: what is said of one is said of all.
export function unit(group, id) {
  const merged = group.products.find((p) => p.id === id)?.group_id;
  return merged ? idsOf({ products: group.products.filter((p) => p.group_id === merged) }) : [id];
}

export function units(group, ids) {
  const found = new Map([...ids].map((id) => [keyOf(unit(group, id)), unit(group, id)]));
  return [...found.values()];
}

// The pairs that a body is about.
const pairsOf = ({ same, different }) => same.flatMap((a, i) => [...same.slice(i + 1), ...different].map((b) => [a, b]));

function distinct(bodies) {
  const found = new Map();
  for (const body of bodies) for (const [a, b] of pairsOf(body)) found.set(keyOf([a, b]), { pair: [a, b], same: body.same.includes(b) });
  return [...found.values()];
}

const worded = ([a, b], same, overrule) => ({ same: same ? [a, b] : [a], different: same ? [] : [b], ...(overrule && { overrule }) });

const send = (body, intent) => post(`${PATH}/decide`, body, intent);

// Pair by pair, so that it is known of which the opposite was said.
async function overrule(bodies, intent, opposed) {
  for (const { pair, same } of distinct(bodies)) {
    try {
      await send(worded(pair, same), intent);
    } catch (error) {
      if (error.status !== 409) throw error;
      await send(worded(pair, same, true), intent);
      opposed.set(keyOf(pair), !same);
    }
  }
}

// What was decided before is decided so again; the rest is open, as it was.
function takeBack(group, bodies, opposed) {
  const intent = new Intent();
  const former = new Map(group.pairs.filter((p) => p.decision === 'same').map((p) => [keyOf([p.a, p.b]), true]));
  for (const [key, same] of opposed) former.set(key, same);
  const pairs = distinct(bodies).map((x) => x.pair);
  const open = pairs.filter((pair) => !former.has(keyOf(pair)));
  return async () => {
    if (open.length) await post(`${PATH}/reopen`, { pairs: open }, intent);
    for (const pair of pairs.filter((x) => former.has(keyOf(x)))) await send(worded(pair, former.get(keyOf(pair)), true), intent);
  };
}

// `act(true)` is said once more, against what was said before.
function decision(word, group, bodies, left) {
  const intent = new Intent();
  const opposed = new Map();
  return {
    word, left,
    act: async (again) => {
      try {
        if (again) await overrule(bodies, intent, opposed);
        else for (const body of bodies) await send(body, intent);
      } catch (error) {
        error.overrulable = error.status === 409 && !again;
        throw error;
      }
      return takeBack(group, bodies, opposed);
    },
  };
}

// Selections of one offer from each unit, until every two of different units have been together.
function selections(parts) {
  const open = new Map(parts.flatMap((part, i) => parts.slice(i + 1).flatMap((other) => part.flatMap((a) => other.map((b) => [keyOf([a, b]), [a, b]])))));
  const made = [];
  while (open.size) {
    const chosen = [...open.values().next().value];
    for (const part of parts.filter((x) => !x.some((id) => chosen.includes(id)))) {
      const news = (id) => chosen.filter((other) => open.has(keyOf([id, other]))).length;
      chosen.push(part.reduce((best, id) => (news(id) > news(best) ? id : best)));
    }
    for (const pair of pairsOf({ same: chosen, different: [] })) open.delete(keyOf(pair));
    made.push(chosen);
  }
  return made;
}

// The ticked ones are one product, and the others are not that one.
export function same(group, ticked) {
  const rest = idsOf(group).filter((id) => !ticked.has(id));
  return decision('same', group, selections(units(group, ticked)).map((chosen) => ({ same: chosen, different: rest })), null);
}

// Each of the ticked ones is a product of its own; of the others nothing is said.
export function different(group, ticked) {
  const rest = new Set(idsOf(group));
  const bodies = [];
  for (const part of units(group, ticked)) {
    for (const id of part) rest.delete(id);
    if (rest.size) bodies.push(...part.map((id) => ({ same: [id], different: [...rest] })));
  }
  const pairs = group.pairs.filter((p) => rest.has(p.a) && rest.has(p.b));
  return decision('different', group, bodies, pairs.length ? { ...group, products: group.products.filter((p) => rest.has(p.id)), pairs } : null);
}

// Only what this merge brought in may leave again; where it brought in nothing, there is no way back.
export function merge(group, ticked, primary) {
  const [intent, back] = [new Intent(), new Intent()];
  return {
    word: 'merge', left: null,
    act: async () => {
      const { data } = await post('/api/products/merge', { primary_id: primary, duplicate_ids: [...ticked].filter((id) => id !== primary) }, intent);
      return data.added.length ? () => post('/api/products/unmerge', { group_id: data.group_id, product_ids: data.added }, back) : null;
    },
  };
}
