// One-time invitations: choose a name (or set the password of an account that exists), and be in.
import { ApiError, get } from '../api.js';
import { field, h, replace } from '../dom.js';
import { dateTime } from '../format.js';
import { errorText, t } from '../i18n.js';
import { go } from '../router.js';
import { acceptInvitation } from '../session.js';
import { errorNotice, gate, gateForm } from './gate.js';

function form(token, invitation, done) {
  const name = invitation.user ? null : h('input', {
    class: 'input', name: 'username', autocomplete: 'username', autocapitalize: 'none', spellcheck: 'false', required: true, maxlength: 64,
  });
  const password = h('input', { class: 'input', type: 'password', name: 'new-password', autocomplete: 'new-password', required: true, minlength: 10 });
  const again = h('input', { class: 'input', type: 'password', name: 'repeat-password', autocomplete: 'new-password', required: true });
  const known = h('input', { class: 'unseen', type: 'text', name: 'username', autocomplete: 'username', value: invitation.user ?? '', readonly: true, tabindex: '-1', 'aria-hidden': 'true' });
  queueMicrotask(() => (name ?? password).focus());
  return gateForm(invitation.user ? t('invite.set_button') : t('invite.button'), [
    name ? field(t('signin.name'), name, t('invite.name_hint')) : known,
    field(t('invite.password'), password, t('invite.password_hint')),
    field(t('invite.again'), again),
  ], async () => {
    if (password.value !== again.value) {
      again.focus();
      throw new ApiError('passwords_differ', '');
    }
    await acceptInvitation(token, name?.value ?? '', password.value);
    go('chat');
    await done();
  });
}

export function inviteView(token, done) {
  document.title = `${t('invite.title')} · Hearth`;
  const content = h('div', null, h('div', { class: 'row' }, h('span', { class: 'spinner' }), t('wait')));
  const view = gate(t('invite.title'), t('invite.lead'), content);
  const lead = view.querySelector('.lead');
  get(`/invitations/${encodeURIComponent(token)}`).then((invitation) => {
    if (invitation.user) lead.textContent = t('invite.lead_user', { name: invitation.user });
    replace(content, form(token, invitation, done), h('p', { class: 'small muted spaced' }, t('invite.expires', { when: dateTime(invitation.expires_ms) })));
  }).catch((error) => {
    replace(content, errorNotice(error.status === 401 || error.status === 404 ? t('invite.gone') : errorText(error)),
      h('p', { class: 'row spaced' }, h('a', { class: 'button wide', href: '#/chat' }, t('invite.to_sign_in'))));
  });
  return view;
}
