// The password goes to the identity service only; the backend sees the token it answers with.
const HOST = 'https://identitytoolkit.googleapis.com';
const WRONG = 'The e-mail address or the password is wrong.';
const REASONS = {
  EMAIL_NOT_FOUND: WRONG,
  INVALID_PASSWORD: WRONG,
  INVALID_LOGIN_CREDENTIALS: WRONG,
  INVALID_EMAIL: 'This is not a complete e-mail address.',
  MISSING_PASSWORD: 'Enter the password.',
  USER_DISABLED: 'This account has been disabled.',
  TOO_MANY_ATTEMPTS_TRY_LATER: 'Too many attempts. Wait a few minutes and try again.',
};

let settings;

async function json(path) {
  const response = await fetch(path, { headers: { Accept: 'application/json' } });
  const type = response.headers.get('Content-Type') ?? '';
  // A site that rewrites unknown paths to its start page answers 200 with HTML.
  return response.ok && type.includes('json') ? response.json() : null;
}

async function config() {
  settings ??= await json('/__/firebase/init.json');
  if (!settings?.apiKey) {
    settings = undefined;
    throw new Error('Sign-in is not set up: the project configuration is missing.');
  }
  return settings;
}

// Asked for on a local address only, so that the deployed console never requests a file it lacks.
export async function demoAccounts() {
  if (!['127.0.0.1', 'localhost', '[::1]'].includes(location.hostname)) return [];
  try {
    return (await json('/__/local.json'))?.demo ?? [];
  } catch {
    return [];
  }
}

export async function passwordToken(email, password) {
  const { apiKey, authEmulatorUrl } = await config();
  const base = authEmulatorUrl ? `${authEmulatorUrl.replace(/\/$/, '')}/identitytoolkit.googleapis.com` : HOST;
  let response;
  try {
    response = await fetch(`${base}/v1/accounts:signInWithPassword?key=${encodeURIComponent(apiKey)}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ email, password, returnSecureToken: true }),
    });
  } catch {
    throw new Error('The sign-in service cannot be reached. Check the connection and try again.');
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) {
    const code = String(answer.error?.message ?? '').split(' ')[0];
    throw new Error(REASONS[code] ?? 'Sign-in did not succeed. Try again.');
  }
  return answer.idToken;
}
