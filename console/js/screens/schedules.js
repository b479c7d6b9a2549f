import { Intent, get, post, request } from '../api.js';
import { h, fill } from '../dom.js';
import { ago, dateTime, plural, title as named } from '../format.js';
import { pages } from '../pages.js';
import { button, card, chip, dialog, empty, field, heading, iconButton, select, state, table, toast } from '../ui.js';

export const title = 'Schedules';

const PATH = '/api/crawler/schedules';
const TYPES = [['daily', 'Every day'], ['weekly', 'Every week'], ['interval', 'At an interval'], ['once', 'Once']];
const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const CONTENT = ['name', 'retailer', 'category', 'type', 'timezone', 'at', 'time', 'weekday', 'interval_minutes', 'enabled'];

function every(minutes) {
  for (const [size, name] of [[1440, 'day'], [60, 'hour']]) {
    if (minutes % size === 0) return minutes === size ? `Every ${name}` : `Every ${plural(minutes / size, name)}`;
  }
  return `Every ${plural(minutes, 'minute')}`;
}

export function rhythm(s) {
  if (s.type === 'daily') return `Every day at ${s.time}`;
  if (s.type === 'weekly') return `Every ${DAYS[s.weekday]} at ${s.time}`;
  if (s.type === 'interval') return every(s.interval_minutes);
  return `Once, ${s.at.slice(0, 16).replace('T', ' at ')}`;
}

const content = (s) => Object.fromEntries(CONTENT.filter((name) => s[name] !== null).map((name) => [name, s[name]]));
const zoneHere = () => Intl.DateTimeFormat().resolvedOptions().timeZone || 'Asia/Colombo';
const zones = () => h('datalist', { id: 'zones' }, (Intl.supportedValuesOf?.('timeZone') ?? []).map((zone) => h('option', { value: zone })));

export function screen({ signal }) {
  const list = pages({ path: PATH, of: 'schedules', paint: () => paint(), signal, waiting: 4 });
  let retailers = [];

  async function put(s, changes) {
    const { data } = await request('PUT', `${PATH}/${encodeURIComponent(s.id)}`, { body: { ...content(s), ...changes }, headers: { 'If-Match': `"${s.version}"` } });
    list.rows = list.rows.map((x) => (x.id === data.id ? data : x));
    paint();
    return data;
  }

  async function turn(s, control) {
    control.disabled = true;
    try {
      const data = await put(s, { enabled: !s.enabled });
      toast(data.enabled ? `${data.name} runs again.` : `${data.name} is paused.`);
      list.results.querySelector(`[data-turn="${CSS.escape(s.id)}"]`)?.focus();
    } catch (error) {
      toast(`${s.name} was not changed: ${error.message}`, 'bad');
      control.disabled = false;
    }
  }

  const remove = (s) => dialog({
    title: 'Delete this schedule?', confirm: 'Delete', tone: 'danger solid',
    body: [h('p', {}, h('b', {}, s.name), ' will start no crawl any more. What runs already goes on.')],
    act: async () => {
      await request('DELETE', `${PATH}/${encodeURIComponent(s.id)}`);
      list.rows = list.rows.filter((x) => x.id !== s.id);
      paint();
      toast('Schedule deleted.');
    },
  });

  function edit(s) {
    const intent = new Intent();
    const offered = s && !retailers.some((r) => r.retailer === s.retailer) ? [...retailers, { retailer: s.retailer, start_urls: { [s.category]: [] } }] : retailers;
    const made = {
      name: h('input', { type: 'text', maxlength: 100, autocomplete: 'off', value: s?.name ?? '' }),
      retailer: select(offered.map((r) => [r.retailer, named(r.retailer)]), s?.retailer ?? offered[0]?.retailer ?? ''),
      category: select([], ''),
      type: select(TYPES, s?.type ?? 'daily'),
      time: h('input', { type: 'time', value: s?.time ?? '03:00' }),
      weekday: select(DAYS.map((day, i) => [String(i), day]), String(s?.weekday ?? 0)),
      hours: h('input', { type: 'number', min: 0.25, step: 'any', inputmode: 'decimal', class: 'tabular', value: (s?.interval_minutes ?? 720) / 60 }),
      at: h('input', { type: 'datetime-local', value: s?.at?.slice(0, 16) ?? '' }),
      timezone: h('input', { type: 'text', list: 'zones', autocomplete: 'off', spellcheck: 'false', value: s?.timezone ?? zoneHere() }),
    };
    const parts = {
      time: field('time', 'Time', made.time), weekday: field('weekday', 'Day', made.weekday), hours: field('interval_minutes', 'Hours between two runs', made.hours),
      at: field('at', 'Date and time', made.at),
    };
    const offer = () => {
      const starts = Object.keys(offered.find((r) => r.retailer === made.retailer.value)?.start_urls ?? {}).sort();
      fill(made.category, starts.map((c) => h('option', { value: c }, named(c))));
      if (starts.includes(s?.category)) made.category.value = s.category;
    };
    const adapt = () => {
      const type = made.type.value;
      parts.time.hidden = type !== 'daily' && type !== 'weekly';
      parts.weekday.hidden = type !== 'weekly';
      parts.hours.hidden = type !== 'interval';
      parts.at.hidden = type !== 'once';
    };
    made.retailer.addEventListener('change', offer);
    made.type.addEventListener('change', adapt);
    offer();
    adapt();
    const box = dialog({
      title: s ? 'Change the schedule' : 'New schedule', confirm: s ? 'Save' : 'Create',
      body: [
        field('name', 'Name', made.name), h('div', { class: 'grid' }, field('retailer', 'Retailer', made.retailer), field('category', 'Category', made.category)),
        h('div', { class: 'grid' }, field('type', 'Runs', made.type), parts.weekday, parts.time, parts.hours, parts.at),
        field('timezone', 'Time zone', made.timezone, 'A time that the clocks skip is the moment after; one that comes twice is the first.'), zones(),
      ],
      act: async () => {
        const type = made.type.value;
        const body = { name: made.name.value.trim(), retailer: made.retailer.value, category: made.category.value, type, timezone: made.timezone.value.trim(), enabled: s?.enabled ?? true };
        if (type === 'daily' || type === 'weekly') body.time = made.time.value;
        if (type === 'weekly') body.weekday = Number(made.weekday.value);
        if (type === 'interval') body.interval_minutes = Math.round(Number(made.hours.value) * 60);
        // Where it was not touched, what was said stays said, an offset too.
        if (type === 'once' && made.at.value) body.at = s?.at?.slice(0, 16) === made.at.value ? s.at : `${made.at.value}:00`;
        if (type === 'interval' && s?.at) body.at = s.at;
        if (s) {
          const { data } = await request('PUT', `${PATH}/${encodeURIComponent(s.id)}`, { body, headers: { 'If-Match': `"${s.version}"` } });
          list.rows = list.rows.map((x) => (x.id === data.id ? data : x));
        } else {
          list.rows = [(await post(PATH, body, intent)).data, ...list.rows];
        }
        paint();
        toast(s ? 'Schedule saved.' : 'The schedule is set.');
      },
    });
    box.classList.add('roomy');
    made.name.focus();
  }

  function next(s) {
    if (!s.enabled) return chip('Paused', 'warn');
    if (!s.next_run_at) return chip('No more');
    return h('div', { class: 'when' }, h('time', { datetime: s.next_run_at }, dateTime(s.next_run_at)), h('span', { class: 'sub' }, ago(s.next_run_at)));
  }

  function rowOf(s) {
    return {
      cells: [
        h('div', { class: 'product-text' }, h('b', {}, s.name), h('span', { class: 'sub' }, `${named(s.retailer)}, ${named(s.category)}`), h('span', { class: 'sub only-narrow' }, rhythm(s))),
        h('div', { class: 'when' }, rhythm(s), h('span', { class: 'sub' }, s.timezone)),
        next(s),
        s.last_status ? h('div', { class: 'when' }, h('span', {}, state(s.last_status)), s.last_run_at && h('time', { class: 'sub', datetime: s.last_run_at, title: dateTime(s.last_run_at) }, ago(s.last_run_at))) : h('span', { class: 'muted' }, 'Never'),
        h('span', { class: 'row-actions' },
          iconButton(`${s.enabled ? 'Pause' : 'Resume'} ${s.name}`, s.enabled ? 'pause' : 'play', { 'data-turn': s.id, onclick: (event) => turn(s, event.currentTarget) }),
          iconButton(`Edit ${s.name}`, 'edit', { onclick: () => edit(s) }),
          iconButton(`Delete ${s.name}`, 'trash', { onclick: () => remove(s) })),
      ],
    };
  }

  function paint() {
    const { rows } = list;
    list.counted.textContent = rows.length ? `${plural(rows.length, 'schedule')}${list.next ? ', more below' : ''}` : '';
    fill(list.results, rows.length
      ? table({ caption: 'Schedules', columns: [{ label: 'Schedule', row: true }, { label: 'Runs', kind: 'c-mid' }, { label: 'Next run, your time' }, { label: 'Last run', kind: 'c-wide' }, { label: h('span', { class: 'sr' }, 'Actions'), kind: 'num' }], rows: rows.map(rowOf) })
      : empty('No schedules yet', 'A schedule crawls one category of a retailer by itself.', button('Set the first', { kind: 'primary', onclick: () => edit() })));
  }

  async function open() {
    list.wait();
    retailers = (await get('/api/crawler/retailers', signal).catch(() => ({ data: { retailers: [] } }))).data.retailers;
    if (!signal.aborted) await list.read();
  }
  open();
  return [
    h('link', { rel: 'stylesheet', href: '/crawls.css' }),
    heading('Schedules', { lead: 'When which retailer is crawled by itself.', actions: [button('New schedule', { kind: 'primary', glyph: 'plus', onclick: () => edit() })] }),
    card(null, [h('div', { class: 'results-head first' }, list.counted), list.results, list.foot], { class: 'card flush', 'aria-label': 'Schedules' }),
  ];
}
