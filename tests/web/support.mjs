// A real `hearth serve`, a real Chromium, and answers of a made-up team for views that are looked at.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';

const require = createRequire(path.join(process.env.HEARTH_WEB_TEST_PACKAGES, 'package.json'));
const { chromium } = require('playwright-core');
export const axeSource = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

/** Starts the program; {address, home, stop()}. */
export async function serve(...options) {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'hearth-web-'));
  const child = spawn(process.env.HEARTH_BINARY, ['--data-dir', home, 'serve', '--port', '0', '--model', process.env.HEARTH_TEST_MODEL, ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (data) => { errors += data; });
  const first = await new Promise((resolve, reject) => {
    readline.createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', (code) => reject(new Error(`hearth ended with ${code}: ${errors}`)));
  });
  const address = /https?:\/\/\S+/.exec(first)[0];
  return {
    address, home,
    async stop() {
      const ended = new Promise((resolve) => { child.once('exit', resolve); });
      child.kill('SIGTERM');
      await ended;
      fs.rmSync(home, { recursive: true, force: true });
    },
  };
}

/** `hearth ARGUMENTS` on a data folder; what it prints. */
export function run(home, args, input = '') {
  return new Promise((resolve, reject) => {
    const child = spawn(process.env.HEARTH_BINARY, ['--data-dir', home, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
    let out = '';
    let errors = '';
    child.stdout.on('data', (data) => { out += data; });
    child.stderr.on('data', (data) => { errors += data; });
    child.once('exit', (code) => (code === 0 ? resolve(out) : reject(new Error(`hearth ${args.join(' ')}: ${code}: ${errors}`))));
    child.stdin.end(input);
  });
}

export function launch() {
  return chromium.launch({ executablePath: process.env.HEARTH_TEST_CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
}

/** A page that remembers what must not happen: errors, violations of the policy, requests to anywhere else. */
export async function openPage(browser, address, { hash = '', ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en', ignoreHTTPSErrors: true, ...options });
  const page = await context.newPage();
  page.wrong = [];
  page.on('pageerror', (error) => page.wrong.push(`error: ${error.message}`));
  page.on('console', (message) => {
    // A refused request is an answer like another; the browser reports it all the same.
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) page.wrong.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(`${address}/`) && !url.startsWith('data:') && !url.startsWith('blob:')) page.wrong.push(`request: ${url}`);
  });
  page.on('dialog', (dialog) => { page.wrong.push(`dialog: ${dialog.message()}`); void dialog.dismiss(); });
  page.begin = async (where = hash) => { await page.goto(`${address}/ui/${where}`); };
  return page;
}

/** Sends a message and waits for the end of its answer. */
export async function say(page, text, { wait = true } = {}) {
  await page.fill('.composer textarea', text);
  const before = await page.locator('.message.assistant').count();
  await page.press('.composer textarea', 'Enter');
  await page.waitForFunction((count) => document.querySelectorAll('.message.assistant').length > count || document.querySelector('.foot .notice'), before, { timeout: 60_000 });
  if (wait) await page.waitForFunction(() => document.querySelector('.composer button[type=submit]').textContent === 'Send', null, { timeout: 60_000 });
}

/** The chunks of an answer with this text, cut into pieces. */
export function stream(text, size = 5) {
  const chunk = (choices, more = {}) => `data: ${JSON.stringify({ choices, ...more })}\n\n`;
  const characters = [...text];
  let out = '';
  for (let at = 0; at < characters.length; at += size) out += chunk([{ index: 0, delta: { content: characters.slice(at, at + size).join('') }, finish_reason: null }]);
  return `${out + chunk([{ index: 0, delta: {}, finish_reason: 'stop' }]) + chunk([], { usage: { prompt_tokens: 3, completion_tokens: characters.length } })}data: [DONE]\n\n`;
}

// ---- a made-up team

const DAY = 86_400_000;
const message = (id, parent, role, text, more = {}) => ({ id, parent, role, state: 'complete', text, model: 'smollm2', created_ms: Date.now(), prompt_tokens: 30, generated_tokens: 128, tokens_per_second: 84, first_token_seconds: 0.21, ...more });

export const answerText = `Write the test for the invariant that admission must keep: **a request is admitted only when its pages fit**.

\`\`\`cpp
TEST(Admission, RefusesWhatDoesNotFit) {
  PagePool pool(8);  // pages
  EXPECT_FALSE(admit(pool, request(200)));
}
\`\`\`

The other's wait is bounded by

$$w \\le \\sum_{i=1}^{n} \\frac{s_i}{r}$$

with $s_i$ tokens at rate $r$.

| Who | Tokens | Share |
|---|---:|---:|
| design | 184k | 17% |
| backend | 920k | 83% |
`;

export function madeUpTeam(now = Date.now()) {
  const users = [
    { id: 1, name: 'anna', role: 'admin', disabled: false, has_password: true, groups: ['design'], keys: 2, created_ms: 1, last_login_ms: now - 3_600_000 },
    { id: 2, name: 'bertrand', role: 'member', disabled: false, has_password: true, groups: ['design', 'backend'], keys: 1, created_ms: 1, last_login_ms: now - DAY },
    { id: 3, name: '访客', role: 'guest', disabled: true, has_password: false, groups: [], keys: 0, created_ms: 1, last_login_ms: 0 }];
  const keys = [
    { id: 1, user: 'anna', label: 'Continue in VS Code', prefix: 'hk_Ab12Cd', scopes: ['inference'], models: [], created_ms: now - 20 * DAY, expires_ms: now + 70 * DAY, revoked_ms: 0, used_ms: now - 600_000 },
    { id: 2, user: 'bertrand', label: 'nightly evaluation', prefix: 'hk_Zz98Xy', scopes: ['inference'], models: [], created_ms: now - 90 * DAY, expires_ms: 0, revoked_ms: now - DAY, used_ms: 0 }];
  const quotas = [
    { subject: 'user', id: 2, name: 'bertrand', metric: 'tokens', period: 'month', limit: 1_000_000, used: 920_000 },
    { subject: 'group', id: 1, name: 'design', metric: 'compute', period: 'month', limit: 36_000, used: 4000 },
    { subject: 'user', id: 1, name: 'anna', metric: 'requests', period: 'minute', limit: 30, used: 30 }];
  const usage = Array.from({ length: 30 }, (_, day) => ({ start_ms: now - day * DAY, user: day % 2 ? 'bertrand' : 'anna', model: day % 3 ? 'smollm2-135m-instruct' : 'qwen2.5-coder-1.5b',
    requests: 20 + day, prompt_tokens: 8000 + ((day * 7919) % 9000), generated_tokens: 5000 + ((day * 10_473) % 7000), compute_seconds: 40 + day }));
  const actions = ['user.create', 'key.create', 'login', 'quota.set'];
  const entries = Array.from({ length: 50 }, (_, index) => ({ seq: 60 - index, time_ms: now - index * 3_000_000, actor: index % 3 ? 'anna' : 'terminal', client: '192.168.1.7:50123', action: actions[index % 4],
    subject: ['bertrand', 'hk_Ab12Cd', 'anna', 'design'][index % 4], details: index % 4 === 3 ? '{"metric":"tokens","limit":1000000}' : '' }));
  const conversations = [
    { id: 1, title: 'Split scheduler.cpp', model: '', system_prompt: '', created_ms: now, updated_ms: now, active_leaf: 4 },
    { id: 2, title: 'SQL: top customers', model: '', system_prompt: '', created_ms: 1, updated_ms: now - 3 * DAY, active_leaf: 0 },
    { id: 3, title: '中文邮件润色', model: '', system_prompt: '', created_ms: 1, updated_ms: now - 2 * DAY, active_leaf: 0 }];
  const messages = [
    message(1, 0, 'user', '<file name="scheduler.cpp" characters="12">\nint main(){}\n</file>\n\nSplit the admission step out of `plan()`. Which test should I write first?'),
    message(2, 1, 'assistant', 'The old answer.'),
    message(4, 1, 'assistant', answerText, { reasoning: 'Admission is the interesting part.', thought_seconds: 4, tool_calls: [{ id: 'c', name: 'read_file', arguments: '{"path":"core/engine/scheduler.cpp"}' }] })];
  const load = {
    requests: [
      { id: 'req-1', user: 'bertrand', model: 'smollm2-135m-instruct', route: '/v1/chat/completions', state: 'running', position: 0, eta_seconds: -1, prompt_tokens: 1204, generated_tokens: 388, tokens_per_second: 84, elapsed_seconds: 5 },
      { id: 'req-2', user: '访客', model: 'smollm2-135m-instruct', route: '/api/chat', state: 'waiting', position: 2, eta_seconds: 9, prompt_tokens: 310, generated_tokens: 0, tokens_per_second: 0, elapsed_seconds: 3 }],
    models: [{ id: 'smollm2-135m-instruct', state: 'ready', memory_bytes: 210e6, running: 1, waiting: 1 }],
    totals: { running: 1, waiting: 1, tokens_per_second: 84 },
    machine: { cpu_percent: 38, memory_used_bytes: 14.2e9, memory_total_bytes: 32e9, gpus: [{ name: 'GPU 0 · RTX 4070', memory_used_bytes: 9.8e9, memory_total_bytes: 12e9 }] } };
  return {
    'GET /session': { user: { id: 1, name: 'anna', role: 'admin', groups: ['design'] }, machine: false, csrf: 'token', scopes: [] },
    'GET /conversations': { conversations }, 'GET /conversations/1': { conversation: conversations[0], messages },
    'GET /users': { users }, 'GET /groups': { groups: [{ id: 1, name: 'design', models: [], members: ['anna', 'bertrand'] }, { id: 2, name: 'backend', models: ['smollm2-135m-instruct'], members: ['bertrand'] }] },
    'GET /keys': { keys }, 'POST /keys': { key: keys[0], secret: 'hk_Ab12Cd34Ef56Gh78Ij90Kl12Mn34Op56Qr78St90Uv12' },
    'GET /invitations': { invitations: [{ id: 1, user: '', role: 'member', groups: ['design'], created_ms: 1, expires_ms: now + 2 * DAY }] },
    'POST /invitations': { token: 'Q7w3Rt5Yu8Io2Pa4Sd6Fg9Hj1Kl3Zx5Cv7Bn9M', expires_ms: now + 2 * DAY },
    'GET /invitations/good': { role: 'member', groups: [], expires_ms: now + 2 * DAY },
    'GET /quotas': { quotas }, 'GET /usage': { usage }, 'GET /account/usage': { usage, quotas: [quotas[2], quotas[1]] },
    'GET /account': { user: users[0], sessions: [{ id: 1, client: '192.168.1.7:50123', created_ms: now - 3_600_000, used_ms: now, current: true }, { id: 2, client: '192.168.1.9:50444', created_ms: now - 36_000_000, used_ms: now - 6_000_000, current: false }] },
    'GET /audit': { entries, last: 60 }, 'GET /audit/verify': { rows: 60, head: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08', broken_at: 0, problem: '' },
    'GET /load': load,
  };
}

/** Puts these answers in the place of /hearth/v1's; what they lack is 404 (null: 401). */
export function pretend(page, answers) {
  return page.route('**/hearth/v1/**', (route) => {
    const request = route.request();
    const key = `${request.method()} ${new URL(request.url()).pathname.slice('/hearth/v1'.length)}`;
    const answer = answers[key];
    if (answer === undefined) return route.fulfill({ status: 404, json: { error: { code: 'unknown_url', message: 'unknown' } } });
    if (answer === null) return route.fulfill({ status: 401, json: { error: { code: 'unauthenticated', message: 'no' } } });
    return route.fulfill({ status: 200, json: answer });
  });
}

/** Serious and critical findings of axe, as text. */
export async function axe(page) {
  const client = await page.context().newCDPSession(page);
  // Past the page's own policy, which forbids what axe would do.
  await client.send('Runtime.evaluate', { expression: axeSource });
  const { result } = await client.send('Runtime.evaluate', {
    expression: `axe.run(document, { resultTypes: ['violations'] }).then((r) => JSON.stringify(r.violations.filter((v) => ['serious', 'critical'].includes(v.impact)).map((v) => v.id + ': ' + v.nodes.map((n) => n.html.slice(0, 160) + ' — ' + n.failureSummary.replace(/\\s+/g, ' ').slice(0, 200)).join(' | '))))`,
    awaitPromise: true, returnByValue: true,
  });
  await client.detach();
  return JSON.parse(result.value);
}
