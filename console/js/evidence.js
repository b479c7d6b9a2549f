// What speaks for and against a match, field by field.
import { h } from './dom.js';
import { title as named } from './format.js';
import { state } from './ui.js';

export const evidenceList = (evidence) => h('ul', { class: 'evidence' }, evidence.map((e) =>
  h('li', {}, h('b', {}, named(e.field)), state(e.verdict), h('span', {}, String(e.detail ?? '')))));
