// A chart of prices that stand and jump, drawn by hand: one step line for each retailer.
import { h, s, fill } from './dom.js';
import { date, price, title as named } from './format.js';
import { dateMarks, linear, roundSteps } from './scale.js';

const HEIGHT = 260;
const MARGIN = { top: 14, right: 14, bottom: 28 };
const LETTER = 7;

// What a price was at a time: the newest reading up to then, since shelf prices stand.
const standing = (points, at) => points.findLast((p) => p.at <= at);

function path(points, x, y, end) {
  const steps = points.map((p, i) => (i ? `H${x(p.at).toFixed(1)}V${y(p.price).toFixed(1)}` : `M${x(p.at).toFixed(1)} ${y(p.price).toFixed(1)}`));
  return `${steps.join('')}H${x(end).toFixed(1)}`;
}

export function priceChart({ series, from, to, median, currency, summary, signal }) {
  const moments = [...new Set(series.flatMap((one) => one.points.map((p) => p.at)))].sort((a, b) => a - b);
  const prices = series.flatMap((one) => one.points.map((p) => p.price));
  const [low, high] = [Math.min(...prices), Math.max(...prices)];
  const air = (high - low) * 0.06 || high * 0.05 || 1;
  const marks = roundSteps(Math.max(0, low - air), high + air, 4);
  const digits = Math.max(0, ...marks.map((n) => (String(n).split('.')[1] ?? '').length));
  const label = (n) => n.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const left = Math.max(...marks.map((n) => label(n).length)) * LETTER + 14;
  const drawing = h('div', { class: 'plot-drawing' });
  const tip = h('div', { class: 'plot-tip', 'aria-hidden': 'true', hidden: true });
  const reader = h('div', {
    class: 'plot-reader', role: 'slider', tabindex: '0', 'aria-label': 'Read prices by date',
    'aria-valuemin': 0, 'aria-valuemax': moments.length - 1, 'aria-orientation': 'horizontal',
  });
  const box = h('div', { class: 'plot', vars: { '--h': `${HEIGHT}px` } }, drawing, reader, tip);
  let chosen = moments.length - 1;
  let width = 0;
  let x;
  let y;

  const values = (at) => series.map((one, i) => [one, i, standing(one.points, at)]).filter(([, , found]) => found);
  const said = (at) => `${date(at)}: ${values(at).map(([one, , p]) => `${named(one.retailer)} ${currency} ${price(p.price)}`).join(', ')}`;

  function announceChosen() {
    reader.setAttribute('aria-valuenow', chosen);
    reader.setAttribute('aria-valuetext', said(moments[chosen]));
  }

  function clear() {
    tip.hidden = true;
    drawing.querySelector('.plot-mark')?.replaceChildren();
  }

  function read(at) {
    const found = values(at);
    const mark = drawing.querySelector('.plot-mark');
    mark.replaceChildren(s('line', { x1: x(at), x2: x(at), y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom }),
      ...found.map(([, i, p]) => s('circle', { cx: x(at), cy: y(p.price), r: 4.5, class: `line-${i % 6}` })));
    fill(tip, h('p', { class: 'fine' }, date(at)), found.map(([one, i, p]) => h('p', {}, h('span', { class: `key line-${i % 6}` }), named(one.retailer), ' ', h('b', { class: 'tabular' }, `${currency} ${price(p.price)}`))));
    tip.hidden = false;
    // Beside the mark, and on the side where there is room.
    const near = x(at) > width / 2;
    tip.style.setProperty('--x', `${x(at) + (near ? -12 : 12)}px`);
    tip.classList.toggle('before', near);
  }

  function choose(index) {
    chosen = Math.max(0, Math.min(moments.length - 1, index));
    announceChosen();
    read(moments[chosen]);
  }

  function draw() {
    width = box.clientWidth;
    if (!width) return;
    const foot = HEIGHT - MARGIN.bottom;
    x = linear(from, to, left, width - MARGIN.right);
    y = linear(marks[0], marks.at(-1), foot, MARGIN.top);
    const days = dateMarks(from, to, Math.max(2, Math.floor((width - left) / 76)));
    fill(drawing, s('svg', { class: 'plot-svg', role: 'img', 'aria-label': summary, width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}` },
      s('g', { class: 'plot-grid' }, marks.map((n) => s('line', { x1: left, x2: width - MARGIN.right, y1: y(n), y2: y(n) })), days.map(([at]) => s('line', { x1: x(at), x2: x(at), y1: foot, y2: foot + 4 }))),
      s('g', { class: 'plot-text' },
        marks.map((n) => s('text', { x: left - 8, y: y(n) + 4, 'text-anchor': 'end' }, label(n))),
        days.filter(([at]) => x(at) > left - 4).map(([at, text]) => s('text', { x: x(at), y: HEIGHT - 8, 'text-anchor': x(at) < left + 30 ? 'start' : x(at) > width - 40 ? 'end' : 'middle' }, text))),
      Number.isFinite(median) && s('line', { class: 'plot-median', x1: left, x2: width - MARGIN.right, y1: y(median), y2: y(median) }),
      series.map((one, i) => {
        const last = one.points.at(-1);
        return s('g', { class: `plot-line line-${i % 6}` },
          s('path', { d: path(one.points, x, y, last.at) }),
          // Nothing was read since; the price is taken to stand.
          s('path', { class: 'plot-rest', d: `M${x(last.at).toFixed(1)} ${y(last.price).toFixed(1)}H${x(to).toFixed(1)}` }),
          one.points.length < 60 && one.points.map((p) => s('circle', { cx: x(p.at), cy: y(p.price), r: 2.2 })));
      }),
      s('g', { class: 'plot-mark' })));
    if (document.activeElement === reader) read(moments[chosen]);
  }

  reader.addEventListener('pointermove', (event) => {
    const at = event.clientX - box.getBoundingClientRect().left;
    chosen = moments.reduce((best, moment, i) => (Math.abs(x(moment) - at) < Math.abs(x(moments[best]) - at) ? i : best), 0);
    choose(chosen);
  });
  reader.addEventListener('pointerleave', () => { if (document.activeElement !== reader) clear(); });
  reader.addEventListener('focus', () => choose(chosen));
  reader.addEventListener('blur', clear);
  reader.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10, Home: -Infinity, End: Infinity }[event.key];
    if (event.key === 'Escape') clear();
    if (step === undefined) return;
    event.preventDefault();
    choose(chosen + step);
  });
  announceChosen();
  const watcher = new ResizeObserver(draw);
  watcher.observe(box);
  signal.addEventListener('abort', () => watcher.disconnect());
  return box;
}

export const legend = (series) => h('ul', { class: 'legend' }, series.map((one, i) => h('li', {}, h('span', { class: `key line-${i % 6}` }), named(one.retailer))));
