// What several screens need to know about categories and retailers.
import { get } from './api.js';
import { title } from './format.js';

export async function categories(signal) {
  const { data } = await get('/api/categories', signal);
  return data.categories ?? [];
}

export async function stats(signal) {
  return (await get('/api/products/stats', signal)).data;
}

const KEYS = ['id', 'slug', 'path', 'name'];

// A product names its category by one of the category's keys; which one is read off the data.
export class Categories {
  constructor(list, used = []) {
    this.list = list;
    this.byId = new Map(list.map((c) => [c.id, c]));
    this.byKey = new Map();
    for (const key of [...KEYS].reverse()) {
      for (const c of list) if (typeof c[key] === 'string') this.byKey.set(c[key], c);
    }
    const seen = new Set(used);
    const hits = (key) => list.filter((c) => seen.has(c[key])).length;
    this.key = KEYS.reduce((best, key) => (hits(key) > hits(best) ? key : best), 'id');
  }

  label(value) {
    return this.byKey.get(value)?.name ?? title(value);
  }

  trail(category) {
    const names = [];
    const met = new Set();
    for (let c = category; c && !met.has(c.id); c = this.byId.get(c.parent_id)) {
      met.add(c.id);
      names.unshift(c.name);
    }
    return names.join(' › ');
  }

  options(current) {
    const known = this.list.map((c) => [c[this.key] ?? c.id, this.trail(c)]).sort((a, b) => a[1].localeCompare(b[1]));
    // What the product carries stays selectable even when no category answers to it.
    if (current && !known.some(([value]) => value === current)) known.unshift([current, title(current)]);
    return known;
  }
}
