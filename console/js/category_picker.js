// A category chosen by typing part of its name: Enter takes the first that fits, arrows go on.
import { h, fill } from './dom.js';
import { dialog, field } from './ui.js';

const MOST_SHOWN = 200;

export function choose({ title, kinds, current, act }) {
  const every = kinds.options();
  const find = h('input', { type: 'search', autocomplete: 'off', spellcheck: 'false', 'aria-describedby': 'picker-count' });
  const offered = h('select', { size: 9, class: 'picker-list' });
  const counted = h('p', { class: 'fine', role: 'status', id: 'picker-count' });

  function paint() {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = every.filter(([, label]) => words.every((word) => label.toLowerCase().includes(word)));
    // What begins with the word stands before what only holds it.
    const begins = ([, label]) => label.toLowerCase().split(' › ').at(-1).startsWith(words[0] ?? '');
    const sorted = words.length ? [...fits.filter(begins), ...fits.filter((x) => !begins(x))] : fits;
    fill(offered, sorted.slice(0, MOST_SHOWN).map(([value, label]) => h('option', { value }, label)));
    offered.value = !words.length && sorted.some(([value]) => value === current) ? current : sorted[0]?.[0] ?? '';
    counted.textContent = sorted.length === 1 ? '1 category fits' : `${sorted.length} categories fit`;
  }

  find.addEventListener('input', paint);
  find.addEventListener('keydown', (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    offered.selectedIndex = Math.max(0, Math.min(offered.options.length - 1, offered.selectedIndex + by));
    counted.textContent = offered.selectedOptions[0]?.textContent ?? '';
  });
  paint();
  const box = dialog({
    title, confirm: 'Choose',
    body: [field('find', 'Find', find), field('category', 'Category', offered), counted],
    act: async () => {
      if (!offered.value) throw Object.assign(new Error(), { errors: [{ field: 'find', message: 'No category fits.' }] });
      await act(offered.value);
    },
  });
  const form = box.querySelector('form');
  offered.addEventListener('keydown', (event) => { if (event.key === 'Enter') { event.preventDefault(); form.requestSubmit(); } });
  offered.addEventListener('dblclick', () => form.requestSubmit());
  find.focus();
  return box;
}
