import { Intent, get, post, request } from '../api.js';
import { h, fill } from '../dom.js';
import { ago, dateTime, plural, title as named } from '../format.js';
import { pages } from '../pages.js';
import { button, card, chip, dialog, empty, field, heading, icon, iconButton, note, select, table, toast } from '../ui.js';

export const title = 'Users';

const PATH = '/api/admin/users';
const AVATARS = ['bear', 'bird', 'cat', 'dog', 'fish', 'fox', 'frog', 'koala', 'mouse', 'owl', 'panda', 'rabbit'];
const ROLES = [['admin', 'Admin'], ['super_admin', 'Super admin']];

const address = (user) => `${PATH}/${encodeURIComponent(user.uid)}`;
const roleOf = (user) => (user.isSuperAdmin ? 'super_admin' : user.isAdmin ? 'admin' : 'none');
const face = (name, size = 32) => h('img', { class: 'avatar', src: `/avatars/${name}.svg`, alt: '', width: size, height: size, loading: 'lazy' });
const refuse = (name, message) => Object.assign(new Error(message), { errors: [{ field: name, message }] });

function faces(chosen) {
  return h('fieldset', { class: 'swatch-set' }, h('legend', { class: 'label' }, 'Avatar'), h('div', { class: 'swatches' }, AVATARS.map((name) =>
    h('label', { class: 'face', title: named(name) }, h('input', { type: 'radio', name: 'avatar', value: name, checked: name === chosen }), face(name, 40), h('span', { class: 'sr' }, name)))));
}

// Written to a file by the browser: the document never passes another server.
function save(name, data) {
  const url = URL.createObjectURL(new Blob([JSON.stringify(data, null, 2)], { type: 'application/json' }));
  h('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

export function screen({ signal, user: me }) {
  if (!me.isSuperAdmin) return [heading('Users'), empty('For super admins only', 'Ask a super admin to give somebody access.')];
  const list = pages({ path: PATH, of: 'users', paint: () => paint(), signal });

  const put = (fresh) => {
    list.rows = list.rows.map((x) => (x.uid === fresh.uid ? fresh : x));
    paint();
  };

  function invite() {
    const intent = new Intent();
    const made = { email: h('input', { type: 'email', autocomplete: 'off', spellcheck: 'false' }), name: h('input', { type: 'text', maxlength: 100, autocomplete: 'off' }), role: select(ROLES, 'admin') };
    dialog({
      title: 'Invite somebody', confirm: 'Invite',
      body: [field('email', 'E-mail address', made.email, 'A link to choose a password is mailed there.'), field('name', 'Name', made.name), field('role', 'Role', made.role, 'Super admins also manage users, settings and the audit log.'), faces(AVATARS[Math.floor(Math.random() * AVATARS.length)])],
      act: async (form) => {
        const email = made.email.value.trim();
        if (!email) throw refuse('email', 'Enter an address.');
        const { data } = await post('/api/admin/create-user', { email, name: made.name.value.trim(), role: made.role.value, avatar: new FormData(form).get('avatar') }, intent);
        list.rows = [data, ...list.rows.filter((x) => x.uid !== data.uid)];
        paint();
        if (data.mail === 'off') toast(`${email} has access, but no mail is set up: nobody was told.`, 'bad');
        else toast(`${email} is invited; the link is on its way.`);
      },
    });
  }

  // Whoever is changed meanwhile is shown as he is now, and saved over only when that is said again.
  async function write(method, user, version, body) {
    try {
      return await request(method, address(user), { body, headers: { 'If-Match': `"${version()}"` } });
    } catch (error) {
      if (error.status !== 412) throw error;
      const now = await get(address(user));
      version(now.data.version);
      put(now.data);
      throw Object.assign(new Error(), { title: 'Somebody else changed this user meanwhile', detail: `Now: ${now.data.name}, ${named(roleOf(now.data))}${now.data.disabled ? ', disabled' : ''}. Confirm again to go on.` });
    }
  }

  const versionOf = (user) => {
    let { version } = user;
    return (fresh) => { version = fresh ?? version; return version; };
  };

  function edit(user) {
    const self = user.uid === me.uid;
    const version = versionOf(user);
    const made = {
      name: h('input', { type: 'text', maxlength: 100, autocomplete: 'off', value: user.name }),
      role: select([...ROLES, ['none', 'No access']], roleOf(user), { disabled: self }),
      disabled: h('input', { type: 'checkbox', checked: user.disabled, disabled: self }),
    };
    dialog({
      title: `Change ${user.name || user.email}`, confirm: 'Save',
      body: [field('name', 'Name', made.name), field('role', 'Role', made.role, self ? 'Nobody changes his own role.' : 'A change ends every session of this user at once.'),
        h('label', { class: 'check' }, made.disabled, ' Disabled: may not sign in'), faces(user.avatar)],
      act: async (form) => {
        const name = made.name.value.trim();
        if (!name) throw refuse('name', 'Enter a name.');
        const { data } = await write('PUT', user, version, { name, role: made.role.value, disabled: made.disabled.checked, avatar: new FormData(form).get('avatar') });
        put(data);
        toast('The user is saved.');
      },
    });
  }

  function remove(user) {
    const version = versionOf(user);
    const typed = h('input', { type: 'text', autocomplete: 'off', spellcheck: 'false' });
    dialog({
      title: `Delete ${user.name || user.email}?`, confirm: 'Delete for good', tone: 'danger solid',
      body: [
        note('warn', 'This cannot be undone', h('p', {}, 'The account, notes, sessions and activity are erased. The audit log keeps what was done, without the person.')),
        field('confirm', 'Type the e-mail address to confirm', typed, user.email),
      ],
      act: async () => {
        if (typed.value.trim().toLowerCase() !== user.email.toLowerCase()) throw refuse('confirm', 'This is not the address.');
        await write('DELETE', user, version);
        list.rows = list.rows.filter((x) => x.uid !== user.uid);
        paint();
        toast('The user is deleted.');
      },
    });
  }

  async function exportData(user, control) {
    control.disabled = true;
    try {
      const { data } = await get(`${address(user)}/data`);
      save(`${user.email.replace(/[^\w.@-]/g, '_')}.json`, data);
      toast(data.incomplete?.length ? `The file is written; it holds only the newest of: ${data.incomplete.join(', ')}.` : 'The file is written.');
    } catch (error) {
      if (error.status !== 401) toast(error.message, 'bad');
    } finally {
      control.disabled = false;
    }
  }

  function rowOf(user) {
    const self = user.uid === me.uid;
    const name = user.name || user.email;
    const role = () => [chip({ super_admin: 'Super admin', admin: 'Admin', none: 'No access' }[roleOf(user)], user.isSuperAdmin ? 'good' : 'plain'), user.disabled && chip('Disabled', 'bad')];
    return {
      kind: user.disabled || !user.isAdmin ? 'away' : undefined,
      cells: [
        h('div', { class: 'product' }, face(user.avatar), h('div', { class: 'product-text' }, h('b', {}, name, self && h('span', { class: 'sub' }, ' (you)')), h('span', { class: 'sub' }, user.email), h('span', { class: 'only-narrow' }, role()))),
        h('span', { class: 'actions' }, role()),
        user.last_sign_in_at ? h('time', { datetime: user.last_sign_in_at, title: dateTime(user.last_sign_in_at) }, ago(user.last_sign_in_at)) : h('span', { class: 'muted' }, 'never'),
        h('time', { datetime: user.created_at, title: dateTime(user.created_at) }, ago(user.created_at)),
        h('span', { class: 'row-actions' }, iconButton(`Change ${name}`, 'edit', { onclick: () => edit(user) }), iconButton(`Export the data of ${name}`, 'download', { onclick: (event) => exportData(user, event.currentTarget) }),
          !self && iconButton(`Delete ${name}`, 'trash', { onclick: () => remove(user) })),
      ],
    };
  }

  function paint() {
    list.counted.textContent = `${plural(list.rows.length, 'user')}${list.next ? ', more below' : ''}`;
    fill(list.results, table({
      caption: 'Users', kind: 'users',
      columns: [{ label: 'User', row: true }, { label: 'Role', kind: 'c-mid' }, { label: 'Last sign-in', kind: 'c-wide' }, { label: 'Since', kind: 'c-wider' }, { label: h('span', { class: 'sr' }, 'Actions'), kind: 'num' }],
      rows: list.rows.map(rowOf),
    }));
  }

  list.read();
  return [
    heading('Users', { lead: 'Who may sign in, and as what.', actions: [button('Invite', { kind: 'primary', glyph: 'plus', onclick: invite })] }),
    card(null, [h('div', { class: 'results-head first' }, list.counted, icon('users')), list.results, list.foot], { class: 'card flush', 'aria-label': 'Users' }),
  ];
}
