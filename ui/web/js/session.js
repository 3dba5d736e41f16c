// Who sits here: asked of the server once, and again after signing in.
import { call, get, post, remove, setCsrf } from './api.js';

export const session = { user: null, machine: false, scopes: [], ready: false };

function take(answer) {
  session.user = answer.user;
  session.machine = Boolean(answer.machine);
  session.scopes = answer.scopes ?? [];
  session.ready = true;
  setCsrf(answer.csrf);
}

export const isAdmin = () => session.user?.role === 'admin';
/** Guests use models; keys are for members. The machine's own user has no account to hang them on. */
export const mayHaveKeys = () => !session.machine && session.user?.role !== 'guest';

/** True when somebody is signed in (or this is the machine itself). Throws what is no answer to that. */
export async function findSession() {
  try {
    take(await get('/session'));
    return true;
  } catch (error) {
    if (error.status === 401) return false;
    if (error.status !== 404) throw error;
  }
  // A server without accounts: it answers this machine alone, and whoever reaches it is its own user.
  await call('GET', '/v1/models');
  take({ user: { id: 0, name: '', role: 'member', groups: [] }, machine: true, csrf: '', scopes: ['inference'] });
  return true;
}

export async function signIn(name, password) {
  take(await post('/session', { name, password }));
}

export async function acceptInvitation(token, name, password) {
  take(await post(`/invitations/${encodeURIComponent(token)}`, { name: name || undefined, password }));
}

export async function signOut() {
  await remove('/session');
  forget();
}

export function forget() {
  session.user = null;
  session.ready = false;
  setCsrf('');
}
