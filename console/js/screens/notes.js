import { Intent, get, post, query as toQuery, request } from '../api.js';
import { h, fill } from '../dom.js';
import { ago, dateTime, plural } from '../format.js';
import { replace } from '../router.js';
import { announce, button, card, dialog, empty, failure, field, heading, icon, iconButton, note as message, skeleton, toast } from '../ui.js';

export const title = 'Notes';

const PATH = '/api/notes';
const COLOURS = ['none', 'red', 'orange', 'yellow', 'green', 'blue', 'purple', 'grey'];
const CONTENT = ['title', 'body', 'tags', 'pinned', 'colour'];

const contentOf = (note) => Object.fromEntries(CONTENT.map((key) => [key, note[key]]));
const tagsOf = (text) => [...new Set(text.split(',').map((x) => x.trim().toLowerCase()).filter(Boolean))];
const address = (note) => `${PATH}/${encodeURIComponent(note.id)}`;

function swatches(chosen) {
  const pick = (colour) => h('label', { class: `swatch ${colour}`, title: colour },
    h('input', { type: 'radio', name: 'colour', value: colour, checked: colour === chosen }), h('span', { class: 'sr' }, colour === 'none' ? 'no colour' : colour));
  return h('fieldset', { class: 'swatch-set' }, h('legend', { class: 'label' }, 'Colour'), h('div', { class: 'swatches' }, COLOURS.map(pick)));
}

export function screen({ path, query, signal }) {
  const filter = { q: query.q ?? '', tag: query.tag ?? '' };
  const results = h('div', { class: 'results' });
  const foot = h('div', { class: 'more' });
  const counted = h('p', { class: 'count', role: 'status' });
  const tags = h('div', { class: 'tag-row' });
  const search = h('input', { type: 'search', autocomplete: 'off', placeholder: 'Words in title, text or tags', value: filter.q });
  let rows = [];
  let next = null;
  let asked = 0;

  const order = () => rows.sort((a, b) => b.pinned - a.pinned || b.updated_at.localeCompare(a.updated_at));
  function put(fresh) {
    rows = [fresh, ...rows.filter((x) => x.id !== fresh.id)];
    order();
    paint();
  }

  function edit(note) {
    const intent = new Intent();
    let version = note?.version;
    const made = {
      title: h('input', { type: 'text', maxlength: 200, autocomplete: 'off', value: note?.title ?? '' }),
      body: h('textarea', { rows: 8, maxlength: 10000 }),
      tags: h('input', { type: 'text', autocomplete: 'off', placeholder: 'pricing, keells', value: note?.tags.join(', ') ?? filter.tag }),
      pinned: h('input', { type: 'checkbox', checked: note?.pinned }),
    };
    made.body.value = note?.body ?? '';
    const box = dialog({
      title: note ? 'Edit the note' : 'New note', confirm: note ? 'Save' : 'Add',
      body: [
        field('title', 'Title', made.title), field('body', 'Text', made.body), field('tags', 'Tags', made.tags, 'Parted by commas.'),
        swatches(note?.colour ?? 'none'), h('label', { class: 'check' }, made.pinned, ' Pin to the top'),
      ],
      act: async (form) => {
        const content = { title: made.title.value.trim(), body: made.body.value, tags: tagsOf(made.tags.value), pinned: made.pinned.checked, colour: new FormData(form).get('colour') };
        if (!content.title) throw Object.assign(new Error(), { errors: [{ field: 'title', message: 'Enter a title.' }] });
        try {
          const { data } = note ? await request('PUT', address(note), { body: content, headers: { 'If-Match': `"${version}"` } }) : await post(PATH, content, intent);
          put(data);
          toast(note ? 'Note saved.' : 'Note added.');
        } catch (error) {
          if (error.status !== 412) throw error;
          const now = await get(address(note));
          version = now.data.version;
          throw Object.assign(new Error(), { title: 'You changed this note elsewhere meanwhile', detail: `Stored now: “${now.data.title}”, changed ${ago(now.data.updated_at)}. Save again to replace it with what stands here.` });
        }
      },
    });
    box.classList.add('roomy');
    made.title.focus();
  }

  async function pin(note, control) {
    control.disabled = true;
    try {
      const { data } = await request('PUT', address(note), { body: { ...contentOf(note), pinned: !note.pinned }, headers: { 'If-Match': `"${note.version}"` } });
      put(data);
      announce(data.pinned ? 'Pinned' : 'No longer pinned');
      results.querySelector(`[data-id="${CSS.escape(note.id)}"] .pin`)?.focus();
    } catch (error) {
      control.disabled = false;
      if (error.status === 401) return;
      toast(error.status === 412 ? 'This note was changed elsewhere; it is shown as it is now.' : error.message, 'bad');
      if (error.status === 412) read();
    }
  }

  const remove = (note) => dialog({
    title: 'Delete this note?', confirm: 'Delete', tone: 'danger solid',
    body: [h('p', {}, h('b', {}, note.title), ' is deleted for good.')],
    act: async () => {
      await request('DELETE', address(note), { headers: { 'If-Match': `"${note.version}"` } });
      rows = rows.filter((x) => x.id !== note.id);
      paint();
      toast('Note deleted.');
    },
  });

  function choose(tag) {
    filter.tag = filter.tag === tag ? '' : tag;
    replace(path, filter);
    read();
  }

  const tagButton = (tag) => h('button', { type: 'button', class: 'chip tag-chip', 'aria-pressed': String(filter.tag === tag), onclick: () => choose(tag) }, tag);

  const paper = (note) => h('li', { class: `paper ${note.colour}`, 'data-id': note.id },
    h('div', { class: 'paper-head' }, h('h2', {}, note.title),
      h('button', { type: 'button', class: 'btn icon-only pin', 'aria-pressed': String(note.pinned), 'aria-label': `Pin ${note.title}`, title: note.pinned ? 'Pinned' : 'Pin', onclick: (event) => pin(note, event.currentTarget) }, icon('pin'))),
    note.body && h('p', { class: 'paper-text' }, note.body),
    note.tags.length > 0 && h('p', { class: 'paper-tags' }, note.tags.map((tag) => h('span', { class: 'chip' }, tag))),
    h('div', { class: 'paper-foot' }, h('time', { class: 'fine', datetime: note.updated_at, title: dateTime(note.updated_at) }, ago(note.updated_at)),
      iconButton(`Edit ${note.title}`, 'edit', { onclick: () => edit(note) }), iconButton(`Delete ${note.title}`, 'trash', { onclick: () => remove(note) })));

  function paint() {
    const narrowed = filter.q || filter.tag;
    counted.textContent = rows.length ? `${plural(rows.length, 'note')}${next ? ', more below' : ''}` : narrowed ? 'No note' : '';
    const known = [...new Set([...(filter.tag ? [filter.tag] : []), ...rows.flatMap((x) => x.tags)])].sort();
    fill(tags, known.length > 0 && [h('span', { class: 'label' }, 'Tags'), known.slice(0, 20).map(tagButton)]);
    fill(results, rows.length ? h('ul', { class: 'papers', 'aria-label': 'Notes' }, rows.map(paper))
      : next ? message('info', null, h('p', {}, 'Nothing among the notes searched so far.'))
        : empty(narrowed ? 'No note holds that' : 'No notes yet', narrowed ? 'Try fewer words, or another tag.' : 'Notes are yours alone: nobody else can read them.', !narrowed && button('Write the first', { kind: 'primary', onclick: () => edit() })));
    fill(foot, next && button(rows.length ? 'Show more' : 'Search on', { onclick: () => read(next) }));
  }

  async function read(cursor = '') {
    asked += 1;
    const mine = asked;
    results.setAttribute('aria-busy', 'true');
    if (!results.children.length) fill(results, skeleton(4, 'row'));
    try {
      const { data } = await get(`${PATH}${toQuery({ ...filter, limit: 30, cursor })}`, signal);
      if (mine !== asked) return;
      rows = cursor ? [...rows, ...data.notes] : data.notes;
      next = data.next_cursor;
      paint();
    } catch (error) {
      if (mine !== asked || error.name === 'AbortError' || error.status === 401) return;
      fill(cursor ? foot : results, failure(error, () => read(cursor)));
    } finally {
      if (mine === asked) results.removeAttribute('aria-busy');
    }
  }

  let typing;
  const seek = () => {
    clearTimeout(typing);
    const q = search.value.trim();
    if (q === filter.q) return;
    filter.q = q;
    replace(path, filter);
    read();
  };
  search.addEventListener('input', () => {
    clearTimeout(typing);
    typing = setTimeout(seek, 250);
  });
  signal.addEventListener('abort', () => clearTimeout(typing));
  read();
  return [
    heading('Notes', { lead: 'Yours alone.', actions: [button('New note', { kind: 'primary', glyph: 'plus', onclick: () => edit() })] }),
    card(null, [
      h('form', { class: 'filters few', role: 'search', 'aria-label': 'Notes', onsubmit: (event) => { event.preventDefault(); seek(); } }, h('div', { class: 'search' }, field('q', 'Search', search), icon('search'))),
      h('div', { class: 'results-head' }, counted, tags),
      results, foot,
    ], { class: 'card flush', 'aria-label': 'Notes' }),
  ];
}
