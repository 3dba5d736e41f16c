// Where the page begins: theme, language, who is there, then the view that the address names.
import { whenSignedOut } from './api.js';
import { replace } from './dom.js';
import { errorText, preferredLanguage, setLanguage, t } from './i18n.js';
import { routeOf } from './router.js';
import { findSession, forget, session } from './session.js';
import { Shell } from './shell.js';
import { startTheme } from './theme.js';
import { failureView } from './views/failure.js';
import { inviteView } from './views/invite.js';
import { signInView } from './views/sign_in.js';

const app = document.getElementById('app');
let shell = null;

function closeShell() {
  shell?.close();
  shell = null;
}

async function show() {
  const [first, second] = routeOf(location.hash);
  if (first === 'invite' && second) {
    closeShell();
    replace(app, inviteView(second, start));
    return;
  }
  if (!session.ready) {
    closeShell();
    replace(app, signInView(show));
    return;
  }
  if (!shell) {
    shell = new Shell(restart);
    replace(app, shell.element);
  }
  await shell.show(routeOf(location.hash));
}

async function start() {
  try {
    await findSession();
  } catch (error) {
    closeShell();
    replace(app, failureView(errorText(error), t('failure.retry'), start));
    return;
  }
  await show();
}

/** After the language changed: everything is drawn again. */
function restart() {
  closeShell();
  void show();
}

setLanguage(preferredLanguage(localStorage.getItem('hearth.language'), navigator.languages));
startTheme();
whenSignedOut(() => {
  if (!session.ready) return;
  forget();
  void show();
});
addEventListener('hashchange', () => void show());
addEventListener('hearth:language', restart);
void start();
