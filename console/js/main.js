import { h, fill } from './dom.js';
import { current } from './router.js';
import { session, watch, refresh, signOut } from './session.js';
import { announce, failure, icon, iconButton, button, skeleton, toast, empty, link, heading } from './ui.js';
import * as signin from './screens/signin.js';

// Each screen's module is fetched when it is first visited.
const ROUTES = [
  [/^\/products$/, 'catalogue'],
  [/^\/products\/([^/]+)$/, 'product'],
  [/^\/upload(?:\/([^/]+))?$/, 'upload'],
  [/^\/categories$/, 'categories'],
  [/^\/duplicates$/, 'duplicates'],
  [/^\/approvals$/, 'approvals'],
  [/^\/classify$/, 'classify'],
  [/^\/batches(?:\/([^/]+))?$/, 'batches'],
  [/^\/reviews$/, 'reviews'],
  [/^\/providers$/, 'providers'],
  [/^\/prices$/, 'prices'],
  [/^\/alerts$/, 'alerts'],
  [/^\/crawls$/, 'crawls'],
  [/^\/schedules$/, 'schedules'],
  [/^\/results$/, 'results'],
  [/^\/quarantine$/, 'quarantine'],
  [/^\/requests$/, 'requests'],
  [/^\/notes$/, 'notes'],
  [/^\/users$/, 'users'],
  [/^\/insights$/, 'insights'],
  [/^\/status$/, 'status'],
  [/^\/audit$/, 'audit'],
  [/^\/settings$/, 'settings'],
];
// A group's places: address, name, icon, and whether only super admins have it.
const GROUPS = [
  ['Catalogue', [
    ['/products', 'Catalogue', 'catalogue'],
    ['/upload', 'Upload', 'upload'],
    ['/categories', 'Categories', 'categories'],
  ]],
  ['Prices', [
    ['/prices', 'Price dashboard', 'prices'],
    ['/alerts', 'Price alerts', 'alerts'],
  ]],
  ['Crawling', [
    ['/crawls', 'Crawls', 'crawls'],
    ['/schedules', 'Schedules', 'schedules'],
    ['/results', 'Results', 'file'],
    ['/quarantine', 'Quarantine', 'alert'],
  ]],
  ['Work', [
    ['/approvals', 'Approvals', 'approvals'],
    ['/duplicates', 'Duplicates', 'duplicates'],
    ['/requests', 'Requests', 'requests'],
    ['/notes', 'Notes', 'notes'],
  ]],
  ['Classification', [
    ['/reviews', 'Review queue', 'reviews'],
    ['/classify', 'Classify', 'classify'],
    ['/batches', 'Batches', 'batches'],
    ['/providers', 'Providers', 'providers'],
  ]],
  ['People', [
    ['/users', 'Users', 'users', true],
    ['/insights', 'Insights', 'insights'],
  ]],
  ['System', [
    ['/audit', 'Audit log', 'audit', true],
    ['/settings', 'Settings', 'settings', true],
    ['/status', 'System status', 'status'],
  ]],
];
const THEMES = { '': 'dark', dark: 'light', light: '' };
const THEME_NAMES = { '': 'system', dark: 'dark', light: 'light' };

const app = document.getElementById('app');
let main = null;
let leave = new AbortController();
let first = true;

export function themeButton() {
  const root = document.documentElement;
  const label = h('span', {});
  const paint = () => { label.textContent = `Theme: ${THEME_NAMES[root.dataset.theme ?? '']}`; };
  const turn = () => {
    const next = THEMES[root.dataset.theme ?? ''];
    if (next) root.dataset.theme = next;
    else delete root.dataset.theme;
    try {
      if (next) localStorage.setItem('shopple-theme', next);
      else localStorage.removeItem('shopple-theme');
    } catch {
      // Without storage the choice lasts as long as the page.
    }
    paint();
  };
  paint();
  return h('button', { type: 'button', class: 'btn quiet', onclick: turn }, icon('theme'), label);
}

function shell() {
  const { user } = session;
  const nav = h('nav', { class: 'nav', id: 'nav', 'aria-label': 'Main' },
    GROUPS.map(([name, places]) => h('div', { class: 'nav-group', role: 'group', 'aria-label': name },
      h('p', { class: 'nav-name', 'aria-hidden': 'true' }, name),
      places.filter(([, , , superOnly]) => !superOnly || user.isSuperAdmin).map(([path, label, glyph]) =>
        h('a', { href: `#${path}`, 'data-path': path }, icon(glyph), h('span', {}, label))),
      name === 'System' && h('a', { href: '/docs' }, icon('docs'), h('span', {}, 'API reference')))));
  const out = button('Sign out', {
    kind: 'quiet', glyph: 'out',
    onclick: async () => {
      out.disabled = true;
      try {
        await signOut();
      } catch (error) {
        toast(`You are still signed in: ${error.message}`, 'bad');
        out.disabled = false;
      }
    },
  });
  const side = h('header', { class: 'side' },
    h('div', { class: 'topbar' },
      h('a', { class: 'brand', href: '#/products' }, h('img', { src: '/favicon.svg', alt: '', width: 28, height: 28 }), h('span', {}, 'Shopple ', h('b', {}, 'Admin'))),
      iconButton('Menu', 'menu', {
        class: 'btn icon-only menu', 'aria-expanded': 'false', 'aria-controls': 'panel',
        onclick: (event) => {
          const open = side.classList.toggle('open');
          event.currentTarget.setAttribute('aria-expanded', String(open));
        },
      })),
    h('div', { class: 'panel', id: 'panel' }, nav,
      h('div', { class: 'account' },
        h('p', { class: 'who', title: user.email }, user.email),
        h('p', { class: 'fine' }, user.isSuperAdmin ? 'Super admin' : 'Admin'),
        themeButton(), out)));
  main = h('main', { class: 'main', id: 'main', tabindex: '-1' });
  fill(app, h('div', { class: 'shell' }, side, main));
}

function markPlace(path) {
  for (const a of app.querySelectorAll('.nav a[data-path]')) {
    const here = path === a.dataset.path || path.startsWith(`${a.dataset.path}/`);
    if (here) a.setAttribute('aria-current', 'page');
    else a.removeAttribute('aria-current');
  }
  const side = app.querySelector('.side');
  side.classList.remove('open');
  side.querySelector('.menu').setAttribute('aria-expanded', 'false');
}

function arrive(name) {
  document.title = `${name} · Shopple Admin`;
  // A first load begins at the top, as the browser has it; each later screen is told and focused.
  if (!first) {
    announce(name);
    scrollTo(0, 0);
    main.querySelector('h1')?.focus({ preventScroll: true });
  }
  first = false;
}

async function show() {
  leave.abort();
  leave = new AbortController();
  for (const open of document.querySelectorAll('dialog')) open.close();
  if (!session.user) {
    main = h('main', { class: 'gate', id: 'main', tabindex: '-1' }, signin.screen({ signal: leave.signal, themeButton }));
    fill(app, main);
    arrive('Sign in');
    return;
  }
  if (!app.querySelector('.shell')) shell();
  // An earlier screen may still have been on its way.
  main.removeAttribute('aria-busy');
  const { path, query } = current();
  markPlace(path);
  const found = ROUTES.map(([pattern, screen]) => [path.match(pattern), screen]).find(([match]) => match);
  if (!found) {
    fill(main, heading('Not found'), empty('There is no such screen', 'The address may be incomplete.', link('Go to the catalogue', '#/products', { kind: 'primary' })));
    arrive('Not found');
    return;
  }
  const [match, name] = found;
  const { signal } = leave;
  const id = match[1] && decodeURIComponent(match[1]);
  // What stands stays until the next screen is here, unless that takes long or nothing stands yet.
  main.setAttribute('aria-busy', 'true');
  const late = setTimeout(() => { if (!signal.aborted) fill(main, skeleton()); }, main.children.length ? 300 : 0);
  try {
    const screen = await import(`./screens/${name}.js`);
    if (signal.aborted) return;
    fill(main, screen.screen({ id, path, query, signal, user: session.user }));
    arrive(screen.title);
  } catch (error) {
    if (signal.aborted) return;
    console.error(error);
    // A browser remembers a module that failed; only a new page asks for it again.
    fill(main, heading('This screen could not be loaded'), failure({ title: 'No connection', detail: error.message }, () => location.reload()));
    arrive('Not loaded');
  } finally {
    clearTimeout(late);
    if (!signal.aborted) main.removeAttribute('aria-busy');
  }
}

async function start() {
  fill(app, h('main', { class: 'gate', id: 'main', 'aria-busy': 'true' }, skeleton(4)));
  try {
    await refresh();
    show();
  } catch (error) {
    fill(app, h('main', { class: 'lone', id: 'main' }, h('h1', {}, 'Shopple Admin'), failure(error, start)));
  }
}

document.getElementById('skip').addEventListener('click', (event) => {
  // The fragment is the route; following the link would leave the screen.
  event.preventDefault();
  document.getElementById('main')?.focus();
});
addEventListener('hashchange', show);
watch(() => {
  // Another user may see other entries in the navigation, and nothing of what stood here.
  fill(app);
  show();
});
start();
