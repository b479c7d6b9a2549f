import { configure, request } from './api.js';
import { passwordToken } from './identity.js';

const channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel('shopple-session') : null;
const leaving = new Set();

export const session = { user: null, csrf: null, expiresAt: null, notice: '' };
let changed = () => {};

function clear(notice) {
  const had = session.user !== null;
  Object.assign(session, { user: null, csrf: null, expiresAt: null, notice });
  return had;
}

function take(answer) {
  Object.assign(session, {
    user: answer.user,
    csrf: answer.csrfToken,
    expiresAt: answer.expiresAt ?? null,
    notice: '',
  });
}

// What a screen remembers for its user must not outlive a deliberate sign-out.
export const onSignOut = (forget) => leaving.add(forget);

export function watch(listener) {
  changed = listener;
  configure({
    csrf: () => session.csrf,
    unauthorized: () => {
      if (clear('Your session has ended. Sign in to continue where you were.')) changed();
    },
  });
  channel?.addEventListener('message', async ({ data }) => {
    if (data === 'signed-out') {
      leaving.forEach((forget) => forget());
      if (clear('You signed out in another tab.')) changed();
    } else if (data === 'signed-in') {
      // The other tab's sign-in replaced the cookie, and with it the token this tab holds.
      const before = session.user?.uid;
      await refresh().catch(() => {});
      if (session.user?.uid !== before) changed();
    }
  });
  document.addEventListener('visibilitychange', async () => {
    if (document.hidden || !session.user || !session.expiresAt) return;
    if (new Date(session.expiresAt) > new Date()) return;
    await refresh().catch(() => {});
    if (!session.user) changed();
  });
}

export async function refresh() {
  const { data } = await request('GET', '/api/admin/session', { quiet401: true });
  if (data.valid) take(data);
  else clear(session.user ? 'Your session has ended. Sign in to continue where you were.' : session.notice);
}

export async function signIn(email, password) {
  const idToken = await passwordToken(email, password);
  const { data } = await request('POST', '/api/admin/login', { body: { idToken }, quiet401: true });
  take(data);
  channel?.postMessage('signed-in');
  changed();
}

export async function signOut() {
  try {
    await request('POST', '/api/admin/logout', { quiet401: true });
  } catch (error) {
    // A session that is gone already is what was asked for; anything else leaves the user signed in.
    if (error.status !== 401) throw error;
  }
  leaving.forEach((forget) => forget());
  clear('You have signed out.');
  channel?.postMessage('signed-out');
  changed();
}
