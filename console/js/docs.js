// Draws the description that the backend publishes, so that it cannot drift from what is served.
import { h, fill } from './dom.js';

const VERBS = ['get', 'post', 'put', 'patch', 'delete'];
const main = document.getElementById('main');
let components = {};

const nameOf = (ref) => decodeURIComponent(ref.split('/').pop());
const slug = (text) => String(text).toLowerCase().replace(/[^a-z0-9]+/g, '-');

function resolve(thing) {
  if (!thing?.$ref) return thing ?? {};
  return components[thing.$ref.split('/').at(-2)]?.[nameOf(thing.$ref)] ?? {};
}

function typeOf(schema) {
  if (schema === true || !schema) return 'any';
  if (schema.$ref) return nameOf(schema.$ref);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((x) => JSON.stringify(x)).join(' | ');
  const any = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  if (any) return any.map(typeOf).join(schema.allOf ? ' & ' : ' | ');
  if (schema.type === 'array') return `${typeOf(schema.items)}[]`;
  const base = Array.isArray(schema.type) ? schema.type.join(' | ') : schema.type ?? 'any';
  return schema.format ? `${base} (${schema.format})` : base;
}

const LIMITS = [['minimum', '≥'], ['exclusiveMinimum', '>'], ['maximum', '≤'], ['exclusiveMaximum', '<'], ['minLength', 'length ≥'], ['maxLength', 'length ≤'], ['minItems', 'items ≥'], ['maxItems', 'items ≤'], ['pattern', 'matches'], ['default', 'default']];
const limitsOf = (schema) => LIMITS.filter(([k]) => schema?.[k] !== undefined && schema[k] !== null).map(([k, sign]) => `${sign} ${typeof schema[k] === 'object' ? JSON.stringify(schema[k]) : schema[k]}`).join(', ');

function typeView(schema) {
  const text = typeOf(schema);
  const target = schema?.$ref ?? schema?.items?.$ref;
  return h('span', { class: 'type' }, target ? h('a', { href: `#schema-${slug(nameOf(target))}` }, text) : text);
}

// Named schemas are linked, nameless ones are drawn in place; that also ends any recursion.
function schemaView(schema, depth = 0) {
  if (!schema || schema.$ref || depth > 5) return typeView(schema);
  if (schema.type === 'array' && schema.items && !schema.items.$ref && (schema.items.properties || schema.items.anyOf)) {
    return [h('span', { class: 'type' }, 'array of'), schemaView(schema.items, depth + 1)];
  }
  const any = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  if (any?.some((x) => x.properties)) return h('div', { class: 'schema' }, any.map((x) => h('div', {}, schemaView(x, depth + 1))));
  if (!schema.properties) return [typeView(schema), limitsOf(schema) && h('span', { class: 'muted' }, ` ${limitsOf(schema)}`)];
  const must = new Set(schema.required ?? []);
  return h('div', { class: 'schema' }, Object.entries(schema.properties).map(([name, part]) => {
    const inner = part.type === 'array' ? part.items : part;
    return h('div', {}, h('code', {}, name), ' ', typeView(part), must.has(name) && h('span', { class: 'must' }, ' required'),
      limitsOf(part) && h('span', { class: 'muted' }, ` ${limitsOf(part)}`),
      part.description && h('span', { class: 'muted' }, ` – ${part.description}`),
      inner?.properties && schemaView(inner, depth + 1));
  }));
}

function parametersView(list) {
  if (!list.length) return null;
  return h('section', {}, h('h4', {}, 'Parameters'), h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Parameters' }, h('table', { class: 'compact' },
    h('caption', { class: 'sr' }, 'Parameters'),
    h('thead', {}, h('tr', {}, ['Name', 'In', 'Type', 'Meaning'].map((t) => h('th', { scope: 'col' }, t)))),
    h('tbody', {}, list.map((p) => h('tr', {},
      h('th', { scope: 'row' }, h('code', {}, p.name), p.required && h('span', { class: 'must' }, ' required')),
      h('td', {}, p.in), h('td', {}, typeView(p.schema), limitsOf(p.schema) && h('span', { class: 'muted' }, ` ${limitsOf(p.schema)}`)), h('td', {}, p.description ?? '–')))))));
}

const contentView = (content) => Object.entries(content ?? {}).map(([type, { schema }]) =>
  h('div', {}, h('p', { class: 'fine' }, h('code', {}, type)), schema && schemaView(schema)));

function operationView(verb, path, op, shared) {
  const parameters = [...shared, ...(op.parameters ?? [])].map(resolve);
  const body = op.requestBody && resolve(op.requestBody);
  return h('details', { class: 'op', id: slug(`${verb}-${path}`) },
    h('summary', {}, h('span', { class: `verb ${verb}` }, verb.toUpperCase()), h('code', {}, path), h('span', { class: 'muted' }, op.summary ?? '')),
    h('div', { class: 'op-body' },
      op.description && op.description !== op.summary && h('p', {}, op.description),
      op.security?.length > 0 && h('p', { class: 'fine' }, 'Needs: ', op.security.map((x) => Object.keys(x).join(' and ')).join(' or ')),
      parametersView(parameters),
      body && h('section', {}, h('h4', {}, 'Body', body.required && h('span', { class: 'must' }, ' required')), contentView(body.content)),
      h('section', {}, h('h4', {}, 'Responses'), h('div', { class: 'stack' }, Object.entries(op.responses ?? {}).map(([code, given]) => {
        const answer = resolve(given);
        return h('div', {}, h('p', {}, h('span', { class: `chip ${code < '300' ? 'good' : code < '400' ? 'plain' : 'warn'}` }, code), ' ', answer.description ?? ''), contentView(answer.content));
      })))));
}

function groups(spec) {
  const found = new Map((spec.tags ?? []).map((t) => [t.name, { about: t.description, ops: [] }]));
  for (const [path, item] of Object.entries(spec.paths ?? {})) {
    for (const verb of VERBS.filter((v) => item[v])) {
      const tag = item[verb].tags?.[0] ?? path.split('/').filter((x) => x && x !== 'api')[0] ?? 'other';
      if (!found.has(tag)) found.set(tag, { ops: [] });
      found.get(tag).ops.push([verb, path, item[verb], item.parameters ?? []]);
    }
  }
  return [...found].filter(([, g]) => g.ops.length);
}

function openTarget() {
  const target = document.getElementById(location.hash.slice(1));
  if (target?.tagName === 'DETAILS') target.open = true;
  target?.scrollIntoView();
}

async function start() {
  const response = await fetch('/openapi.json', { headers: { Accept: 'application/json' } });
  if (!response.ok) throw new Error(`The description answered ${response.status}.`);
  const spec = await response.json();
  components = spec.components ?? {};
  const tags = groups(spec);
  const filter = h('input', { type: 'search', id: 'filter', placeholder: 'path or words', autocomplete: 'off' });
  const counted = h('p', { class: 'count', role: 'status' });
  const total = tags.reduce((n, [, g]) => n + g.ops.length, 0);
  const sections = tags.map(([tag, g]) => {
    const ops = g.ops.map((o) => ({ node: operationView(...o), text: `${o[0]} ${o[1]} ${o[2].summary ?? ''} ${o[2].description ?? ''}`.toLowerCase() }));
    return { ops, node: h('section', { class: 'stack' }, h('h2', { class: 'group', id: `tag-${slug(tag)}` }, tag), g.about && h('p', { class: 'muted' }, g.about), h('div', { class: 'ops' }, ops.map((o) => o.node))) };
  });
  const sift = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let n = 0;
    for (const { ops, node } of sections) {
      for (const o of ops) o.node.hidden = !words.every((w) => o.text.includes(w));
      const shown = ops.filter((o) => !o.node.hidden).length;
      node.hidden = shown === 0;
      n += shown;
    }
    counted.textContent = n === total ? `${total} operations` : `${n} of ${total} operations`;
  };
  filter.addEventListener('input', sift);
  const schemas = Object.entries(components.schemas ?? {}).sort(([a], [b]) => a.localeCompare(b));
  fill(main,
    h('div', { class: 'head' }, h('div', { class: 'head-text' }, h('h1', {}, spec.info?.title ?? 'API reference'), h('p', { class: 'lead' }, `Version ${spec.info?.version ?? '–'}. `, h('a', { href: '/openapi.json' }, 'openapi.json'))),
      h('div', { class: 'field' }, h('label', { for: 'filter' }, 'Find an operation'), filter)),
    spec.info?.description && h('p', {}, spec.info.description), counted,
    sections.map((x) => x.node),
    schemas.length > 0 && h('section', { class: 'stack' }, h('h2', { class: 'group', id: 'schemas' }, 'Schemas'), h('div', { class: 'ops' }, schemas.map(([name, schema]) =>
      h('details', { class: 'op', id: `schema-${slug(name)}` }, h('summary', {}, h('code', {}, name)), h('div', { class: 'op-body' }, schema.description && h('p', {}, schema.description), schemaView(schema)))))));
  fill(document.getElementById('toc'), tags.map(([tag, g]) => h('a', { href: `#tag-${slug(tag)}` }, tag, h('span', { class: 'fine' }, String(g.ops.length)))), schemas.length > 0 && h('a', { href: '#schemas' }, 'Schemas', h('span', { class: 'fine' }, String(schemas.length))));
  sift();
  openTarget();
}

addEventListener('hashchange', openTarget);
start().catch((error) => fill(main, h('h1', {}, 'API reference'), h('div', { class: 'note bad', role: 'alert' }, h('p', {}, `The description of the API could not be read. ${error.message}`))));
