import { h, fill } from '../dom.js';
import { demoAccounts } from '../identity.js';
import { session, signIn } from '../session.js';
import { button, field, note } from '../ui.js';

export function screen({ signal, themeButton }) {
  const trouble = h('div', { 'aria-live': 'assertive' });
  const email = h('input', { type: 'email', autocomplete: 'username', required: true, spellcheck: 'false' });
  const password = h('input', { type: 'password', autocomplete: 'current-password', required: true });
  const submit = h('button', { type: 'submit', class: 'btn primary wide' }, 'Sign in');
  const demo = h('div', {});

  const enter = async (address, secret) => {
    const buttons = form.parentElement.querySelectorAll('button');
    buttons.forEach((b) => { b.disabled = true; });
    fill(trouble);
    try {
      await signIn(address, secret);
    } catch (error) {
      const wait = error.retryAfter ? ` Try again in ${error.retryAfter} s.` : '';
      fill(trouble, note('bad', error.title && error.status !== 401 ? error.title : 'Not signed in', h('p', {}, error.message + wait)));
      buttons.forEach((b) => { b.disabled = false; });
    }
  };

  const form = h('form', {
    class: 'stack',
    onsubmit: (event) => {
      event.preventDefault();
      enter(email.value.trim(), password.value);
    },
  }, field('email', 'E-mail address', email), field('password', 'Password', password), submit);

  demoAccounts().then((accounts) => {
    if (signal.aborted || !accounts.length) return;
    fill(demo, h('p', { class: 'divider' }, h('span', {}, 'Local demo')), h('div', { class: 'stack' },
      accounts.map((a) => button(a.label, { kind: 'wide', onclick: () => enter(a.email, a.password) }))));
  });

  return h('div', { class: 'gate-card' },
    h('div', { class: 'gate-brand' }, h('img', { src: '/favicon.svg', alt: '', width: 44, height: 44 }),
      h('div', {}, h('h1', { tabindex: '-1' }, 'Shopple ', h('b', {}, 'Admin')), h('p', { class: 'muted' }, 'Price intelligence for supermarket catalogues'))),
    session.notice && h('div', { class: 'note info' }, h('p', {}, session.notice)),
    trouble, form, demo, h('div', { class: 'gate-foot' }, themeButton()));
}
