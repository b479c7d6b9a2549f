// What speaks for and against a match, field by field.
import { h } from './dom.js';
import { signed, title as named } from './format.js';
import { linear } from './scale.js';
import { state } from './ui.js';

// Where a pair stands of which nothing is known yet.
const START = 50;

export const evidenceList = (evidence) => h('ul', { class: 'evidence' }, evidence.map((e) =>
  h('li', {}, h('b', {}, named(e.field)), state(e.verdict), h('span', {}, String(e.detail ?? '')))));

// Matches of former times carry no weights.
export const evidenceOf = (evidence, confidence) => (evidence.some((e) => e.weight) ? evidenceBars(evidence, confidence) : evidenceList(evidence));

// Each field's bar begins where the one before ends, from the start to the confidence.
export function evidenceBars(evidence, confidence) {
  let at = START;
  const steps = [...evidence].sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight)).map((e) => {
    const from = at;
    at += e.weight;
    return { ...e, from, to: at };
  });
  const digits = evidence.every((e) => Number.isInteger(e.weight)) ? 0 : 1;
  const reached = steps.map((e) => e.to);
  const place = linear(Math.min(0, ...reached), Math.max(100, ...reached), 0, 100);
  const track = (from, to, kind) => h('span', { class: 'weigh-track', 'aria-hidden': 'true', vars: { '--zero': `${place(START)}%` } },
    h('span', { class: `weigh-bar ${kind}`, vars: { '--x': `${place(Math.min(from, to))}%`, '--w': `${place(Math.max(from, to)) - place(Math.min(from, to))}%` } }));
  const tone = ({ verdict, weight }) => (verdict === 'missing' ? 'none' : weight < 0 ? 'against' : 'for');
  return h('ol', { class: 'weighing' },
    h('li', { class: 'weigh-end' }, h('span', { class: 'weigh-name' }, 'Start'), track(0, START, 'base'), h('b', { class: 'tabular' }, String(START)), h('span', { class: 'weigh-detail' }, 'nothing known yet')),
    steps.map((e) => h('li', {}, h('span', { class: 'weigh-name' }, named(e.field), h('span', { class: 'sr' }, ` ${e.verdict}`)), track(e.from, e.to, tone(e)),
      h('b', { class: `tabular ${tone(e)}` }, signed(e.weight, digits)), h('span', { class: 'weigh-detail' }, String(e.detail ?? '')))),
    h('li', { class: 'weigh-end' }, h('span', { class: 'weigh-name' }, 'Confidence'), track(0, confidence, 'total'), h('b', { class: 'tabular' }, `${Math.round(confidence)} %`), h('span', { class: 'weigh-detail' })));
}
