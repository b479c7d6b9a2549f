import { get } from '../api.js';
import { h, s, fill } from '../dom.js';
import { ago, count, date, dateTime, percent, plural } from '../format.js';
import { linear, roundSteps } from '../scale.js';
import { button, card, empty, heading, load, skeleton, table } from '../ui.js';

export const title = 'Insights';

const DAYS = [['30', '30 days'], ['90', '90 days']];
const WEEKS = [['12', '12 weeks'], ['26', '26 weeks']];
const SIZE = { height: 190, left: 34, foot: 24 };
const LABEL = 58;

const shortDay = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
const dayOf = (text) => shortDay.format(new Date(`${text}T00:00:00Z`));

// Columns side by side; the figures are in the table below it, for who cannot see or wants them exact.
function columns(items, { label, value, second, summary, signal }) {
  const most = Math.max(1, ...items.map((x) => Math.max(value(x), second?.(x) ?? 0)));
  const marks = roundSteps(0, most, 3).filter(Number.isInteger);
  const bottom = SIZE.height - SIZE.foot;
  const y = linear(0, marks.at(-1), bottom, 10);
  const box = h('div', { class: 'columns-box' });
  function draw() {
    const width = box.clientWidth;
    if (!width) return;
    const wide = (width - SIZE.left) / items.length;
    const every = Math.ceil(LABEL / wide);
    const column = (x, w, n, kind) => n > 0 && s('rect', { x, width: w, y: y(n), height: bottom - y(n), rx: Math.min(2, w / 3), class: kind });
    fill(box, s('svg', { class: 'columns-chart', role: 'img', 'aria-label': summary, width, height: SIZE.height, viewBox: `0 0 ${width} ${SIZE.height}` },
      s('g', { class: 'plot-grid' }, marks.map((n) => s('line', { x1: SIZE.left, x2: width, y1: y(n), y2: y(n) }))),
      s('g', { class: 'plot-text' }, marks.map((n) => s('text', { x: SIZE.left - 8, y: y(n) + 4, 'text-anchor': 'end' }, count(n))),
        items.map((x, i) => (items.length - 1 - i) % every === 0 && s('text', { x: Math.min(SIZE.left + wide * (i + 0.5), width - 22), y: SIZE.height - 6, 'text-anchor': 'middle' }, label(x)))),
      items.map((x, i) => {
        const at = SIZE.left + wide * (i + 0.14);
        const w = wide * 0.72;
        return s('g', {}, s('title', {}, `${label(x)}: ${count(value(x))}${second ? `, ${count(second(x))}` : ''}`),
          second ? [column(at, w / 2, value(x), 'column-a'), column(at + w / 2, w / 2, second(x), 'column-b')] : column(at, w, value(x), 'column-a'));
      })));
  }
  const watcher = new ResizeObserver(draw);
  watcher.observe(box);
  signal.addEventListener('abort', () => watcher.disconnect());
  return box;
}

const fold = (label, ...body) => h('details', { class: 'fold' }, h('summary', {}, label), body);
const figure = (label, value, words) => h('div', { class: 'figure' }, h('h2', { class: 'label' }, label), h('p', { class: 'big tabular' }, value), h('p', { class: 'muted' }, words));

function activity({ days, users }, signal) {
  const top = days.reduce((best, x) => (x.active > best.active ? x : best), days[0]);
  return [
    h('div', { class: 'plot-box' }, columns(days, { label: (x) => dayOf(x.date), value: (x) => x.active, summary: `Active users per day over ${plural(days.length, 'day')}: at most ${top.active}, on ${dayOf(top.date)}; ${days.at(-1).active} on the last day.`, signal })),
    fold('Days as a table', table({
      caption: 'Activity by day, newest first', kind: 'compact', columns: [{ label: 'Day', row: true }, { label: 'Active users', kind: 'num' }, { label: 'Changes made', kind: 'num' }],
      rows: [...days].reverse().map((x) => ({ cells: [date(x.date), count(x.active), count(x.actions)] })),
    })),
    users.length > 0 && fold('Most active users', table({
      caption: 'Most active users', kind: 'compact', columns: [{ label: 'User', row: true }, { label: 'Active days', kind: 'num' }, { label: 'Changes made', kind: 'num' }, { label: 'Last active', kind: 'num c-wide' }],
      rows: users.map((x) => ({ cells: [h('div', { class: 'product-text' }, h('b', {}, x.name || x.email), x.name && h('span', { class: 'sub' }, x.email)), count(x.active_days), count(x.actions), date(x.last_active_on)] })),
    })),
  ];
}

// One row for each week of sign-ups; darker is more of them back. The figure is in each cell, so no colour is needed to read it.
function retention(weeks) {
  const kept = weeks.filter((x) => x.signups > 0);
  if (!kept.length) return empty('No sign-ups in this time', 'Retention is counted from the week of the first sign-in.');
  const most = Math.max(...kept.map((x) => x.retention_percent.length));
  const cell = (n) => (n === undefined ? h('td', { class: 'heat none' }) : h('td', { class: 'heat', vars: { '--heat': `${Math.round(n * 0.45)}%` } }, `${Math.round(n)} %`));
  return h('div', { class: 'scroll', role: 'region', tabindex: '0', 'aria-label': 'Retention by week of sign-up' }, h('table', { class: 'heat-table' },
    h('caption', { class: 'sr' }, 'Share of those who signed up in a week and were active in it and in each week since'),
    h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Week of'), h('th', { scope: 'col', class: 'num' }, 'Sign-ups'), Array.from({ length: most }, (_, i) => h('th', { scope: 'col', class: 'num', 'aria-label': i ? `${plural(i, 'week')} later` : 'the same week' }, i ? `+${i}` : '0')))),
    h('tbody', {}, kept.map((x) => h('tr', {}, h('th', { scope: 'row' }, dayOf(x.starts_on)), h('td', { class: 'num' }, count(x.signups)), Array.from({ length: most }, (_, i) => cell(x.retention_percent[i])))))));
}

function growth({ weeks, total_users: total }, signal) {
  const signups = weeks.reduce((n, x) => n + x.signups, 0);
  return [
    h('div', { class: 'figures' }, figure('Users', count(total), 'who have signed up so far'), figure('New', count(signups), `in ${plural(weeks.length, 'week')}`), figure('Active', count(weeks.at(-1)?.active ?? 0), `this week, ${percent(weeks.at(-1)?.active ?? 0, total)} % of all`)),
    h('div', { class: 'plot-box topped' },
      columns(weeks, { label: (x) => dayOf(x.starts_on), value: (x) => x.active, second: (x) => x.signups, summary: `Active users and sign-ups per week over ${plural(weeks.length, 'week')}: ${count(weeks.at(-1)?.active ?? 0)} active and ${count(weeks.at(-1)?.signups ?? 0)} new in the last.`, signal }),
      h('ul', { class: 'legend plot-foot' }, h('li', {}, h('span', { class: 'key block a' }), 'Active'), h('li', {}, h('span', { class: 'key block b' }), 'Signed up'))),
    fold('Weeks as a table', table({
      caption: 'Growth by week, newest first', kind: 'compact', columns: [{ label: 'Week', row: true }, { label: 'Signed up', kind: 'num' }, { label: 'Active', kind: 'num' }],
      rows: [...weeks].reverse().map((x) => ({ cells: [`${x.week}, from ${dayOf(x.starts_on)}`, count(x.signups), count(x.active)] })),
    })),
  ];
}

export function screen({ signal }) {
  const asOf = h('p', { class: 'fine', role: 'status' });
  const [daily, weekly, kept] = [h('div', {}), h('div', {}), h('div', {})];
  let days = '30';
  let weeks = '12';
  const segments = (label, choices, value, changed) => h('div', { class: 'segments', role: 'radiogroup', 'aria-label': label }, choices.map(([key, text]) =>
    h('label', {}, h('input', { type: 'radio', name: label, value: key, checked: key === value, onchange: () => changed(key) }), h('span', {}, text))));
  const nothing = () => empty('Nothing is counted yet', 'Activity is counted every few minutes, from the first sign-in.');
  const told = (at) => asOf.replaceChildren(...(at ? ['As of ', h('time', { datetime: at, title: dateTime(at) }, ago(at))] : []));

  const readDays = () => load(daily, {
    signal, waiting: skeleton(1, 'plot-skeleton'), read: () => get(`/api/insights/users?days=${days}`, signal),
    show: ({ data }) => {
      told(data.as_of);
      return data.as_of && data.days.length ? activity(data, signal) : nothing();
    },
  });
  const readWeeks = () => {
    const asked = get(`/api/insights/growth?weeks=${weeks}`, signal);
    const both = (region, show) => load(region, { signal, waiting: skeleton(1, 'plot-skeleton'), read: () => asked, show: ({ data }) => (data.as_of && data.weeks.length ? show(data, signal) : nothing()) });
    both(weekly, growth);
    both(kept, (data) => retention(data.weeks));
  };
  const all = () => {
    readDays();
    readWeeks();
  };
  all();
  return [
    heading('Insights', { lead: 'Who works with the console, how often, and who stays.', actions: [asOf, button('Refresh', { glyph: 'refresh', kind: 'quiet', onclick: all })] }),
    h('div', { class: 'halves' },
      card('Active users per day', daily, { actions: segments('Days', DAYS, days, (key) => { days = key; readDays(); }) }),
      card('Growth', weekly, { actions: segments('Weeks', WEEKS, weeks, (key) => { weeks = key; readWeeks(); }) })),
    card('Retention', [h('p', { class: 'fine under' }, 'Of those who signed up in a week, how many were active in it and in each week since.'), kept]),
  ];
}
