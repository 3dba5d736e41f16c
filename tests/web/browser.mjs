// The page in a real browser against the real program. Run by run.sh.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { answerText, axe, launch, madeUpTeam, openPage, pretend, say, serve, stream } from './support.mjs';
import { corpus } from './xss_corpus.mjs';

let server;
let browser;

before(async () => {
  server = await serve();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

async function opened(options) {
  const page = await openPage(browser, server.address, options);
  await page.begin();
  await page.waitForSelector('.composer textarea, .gate form, .gate .notice');
  return page;
}

async function closed(page) {
  assert.deepEqual(page.wrong, []);
  await page.context().close();
}

/** Every answer of a chat becomes `text`. */
async function answering(page, text) {
  await pretend(page, { 'GET /session': { user: { id: 0, name: '', role: 'member', groups: [] }, machine: true, csrf: '', scopes: [] } });
  await page.route('**/v1/chat/completions', (route) => route.fulfill({ status: 200, contentType: 'text/event-stream', body: stream(typeof text === 'function' ? text() : text) }));
}

const lastAnswer = (page) => page.locator('.message.assistant').last();

test('browsers get the page, clients the banner, at the same address', async () => {
  const page = await fetch(`${server.address}/`, { headers: { Accept: 'text/html' } });
  assert.match(await page.text(), /<div id="app">/);
  assert.doesNotMatch(await (await fetch(`${server.address}/`)).text(), /<div/);
});

test('a conversation with the real model: stream, figures, regenerate, branches, edit', async () => {
  const page = await opened();
  await say(page, 'Say hello in five words.');
  const answer = lastAnswer(page);
  assert.ok((await answer.locator('.markdown').innerText()).trim().length > 0);
  assert.match(await answer.locator('.figures').innerText(), /tok\/s · first token .* · \d+ tokens?/);

  await answer.getByRole('button', { name: 'Regenerate' }).click();
  await page.waitForFunction(() => document.querySelector('.message.assistant .branch')?.textContent === '2/2', null, { timeout: 60_000 });
  await page.getByRole('button', { name: 'Previous version' }).click();
  assert.equal(await page.locator('.message.assistant .branch').innerText(), '1/2');

  await page.locator('.message.user').getByRole('button', { name: 'Edit' }).click();
  const area = page.getByLabel('Edit your message');
  assert.equal(await area.inputValue(), 'Say hello in five words.');
  await area.fill('Count to three.');
  await area.press('Enter');
  await page.waitForFunction(() => document.querySelector('.message.user .branch')?.textContent === '2/2', null, { timeout: 60_000 });
  assert.match(await page.locator('.message.user .body').innerText(), /Count to three/);
  await page.waitForFunction(() => document.querySelector('.composer button[type=submit]').textContent === 'Send', null, { timeout: 60_000 });
  await page.locator('.message.user').getByRole('button', { name: 'Previous version' }).click();
  assert.match(await page.locator('.message.user .body').innerText(), /Say hello/);
  await closed(page);
});

test('Escape stops an answer, and what was written stays', async () => {
  const page = await opened();
  await say(page, 'Write a very long story about the sea, at least two thousand words.', { wait: false });
  await page.waitForFunction(() => document.querySelector('.message.assistant .markdown')?.textContent.length > 40, null, { timeout: 60_000 });
  await page.keyboard.press('Escape');
  await page.waitForFunction(() => document.querySelector('.composer button[type=submit]').textContent === 'Send');
  const text = await lastAnswer(page).innerText();
  assert.match(text, /Stopped\./);
  await page.waitForTimeout(500);
  assert.equal(await lastAnswer(page).innerText(), text, 'nothing grows after the stop');
  await closed(page);
});

test('two people chat at once', async () => {
  const pages = await Promise.all([opened(), opened()]);
  await Promise.all(pages.map((page, index) => say(page, `Name ${index + 2} colours.`)));
  for (const page of pages) {
    assert.equal(await page.locator('.message').count(), 2);
    assert.ok((await lastAnswer(page).locator('.markdown').innerText()).trim().length > 0);
    await closed(page);
  }
});

test('what a model writes is shown as written: mathematics, code, tables, lists', async () => {
  const page = await openPage(browser, server.address);
  await answering(page, `${answerText}\nInline \\(a^2\\), shown \\[b^2\\]. It costs $5 and $6.\n\n- item\n\n  \`\`\`python\n  def f(): return 1\n  \`\`\`\n\n<b>bold</b> a<sub>1</sub>`);
  await page.begin();
  await say(page, 'go');
  const answer = lastAnswer(page);
  await answer.locator('.katex').first().waitFor();
  assert.equal(await answer.locator('.katex').count(), 5, 'two with dollars in the text before, one shown, and two in brackets');
  assert.match(await answer.innerText(), /costs \$5 and \$6/);
  assert.equal(await answer.locator('.code').count(), 2);
  assert.ok(await answer.locator('.hljs-keyword').count() > 0, 'code has colours');
  assert.equal(await answer.locator('td').nth(1).evaluate((cell) => getComputedStyle(cell).textAlign), 'right');
  const colour = await answer.locator('.hljs-keyword').first().evaluate((word) => getComputedStyle(word).color);
  assert.notEqual(colour, await answer.locator('.code code').first().evaluate((code) => getComputedStyle(code).color));
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await answer.locator('.code').first().getByRole('button').click();
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^TEST\(Admission/);
  await closed(page);
});

test('a growing answer leaves finished blocks alone', async () => {
  const page = await openPage(browser, server.address);
  await answering(page, 'x');
  await page.begin();
  const replaced = await page.evaluate(async (whole) => {
    const base = document.querySelector('script[type=module]').src.replace(/main\.js$/, '');
    const { MarkdownView } = await import(`${base}markdown/view.js`);
    const view = new MarkdownView();
    document.body.append(view.element);
    const seen = [];
    let changed = 0;
    for (let length = 1; length <= whole.length; length += 3) {
      view.update(whole.slice(0, length));
      const blocks = [...view.element.children];
      // Every block but the last two was finished before: its first child must be the very same element.
      seen.slice(0, Math.max(0, blocks.length - 2)).forEach((child, index) => { if (blocks[index].firstChild !== child) changed += 1; });
      blocks.forEach((block, index) => { seen[index] = block.firstChild; });
    }
    view.element.remove();
    return changed;
  }, answerText);
  assert.equal(replaced, 0);
  await closed(page);
});

test('nothing of the XSS corpus runs, loads, or looks like the page', async () => {
  // Without the policy: the sanitiser alone must do. (With it, the browser only tells of what it refused to a document that never lived.)
  const page = await openPage(browser, server.address, { bypassCSP: true });
  let next = 0;
  const all = corpus.join('\n\n');
  await answering(page, () => (next < corpus.length ? corpus[next++] : all));
  await page.begin();
  await page.waitForSelector('.composer textarea');
  const found = [];
  for (let index = 0; index <= corpus.length; index += 1) {
    await say(page, 'go');
    const bad = await page.evaluate(() => {
      const answer = [...document.querySelectorAll('.message.assistant')].at(-1);
      const out = [];
      const allowed = new Set('ARTICLE,DIV,SPAN,P,BR,HR,H1,H2,H3,H4,H5,H6,UL,OL,LI,BLOCKQUOTE,PRE,CODE,EM,STRONG,DEL,S,U,SUB,SUP,KBD,MARK,A,IMG,TABLE,THEAD,TBODY,TR,TH,TD,INPUT,DETAILS,SUMMARY,BUTTON'.split(','));
      for (const element of answer.querySelectorAll('*')) {
        if (!element.closest('.katex') && !element.closest('.tools') && !element.closest('.head') && !allowed.has(element.tagName)) out.push(`element ${element.tagName}`);
        for (const { name, value } of element.attributes) {
          if (name.startsWith('on')) out.push(`attribute ${name}`);
          if (/^(?:href|src|action|formaction|xlink:href|srcset|background)$/.test(name) && !/^(?:https?:|mailto:|data:image\/(?:png|jpeg|gif|webp);base64,)/i.test(value)) out.push(`${name}=${value}`);
          if (name === 'src' && !value.startsWith('data:')) out.push(`src=${value}`);
          if (name === 'style' && !element.closest('.katex')) out.push(`style=${value}`);
          if (name === 'id') out.push(`id=${value}`);
        }
        if (element.tagName === 'A' && element.hasAttribute('href') && !(element.target === '_blank' && /noopener/.test(element.rel) && /noreferrer/.test(element.rel))) out.push('a link that keeps us');
        const box = element.getBoundingClientRect();
        if (element.closest('.markdown') && getComputedStyle(element).position === 'fixed') out.push(`${element.tagName} is fixed`);
        if (box.width > 20_000 || box.height > 20_000) out.push(`${element.tagName} is ${box.width} × ${box.height}`);
      }
      if (window.pwned) out.push('it ran');
      return out;
    });
    if (bad.length) found.push(`${corpus[index] ?? 'all together'} → ${bad.join(', ')}`);
    // What people are shown must stay clickable without running anything.
    for (const link of await lastAnswer(page).locator('.markdown a:not([href])').all()) await link.click({ force: true, timeout: 1000 }).catch(() => {});
  }
  assert.deepEqual(found, []);
  assert.equal(await page.evaluate(() => window.pwned), undefined);
  await closed(page);
});

test('text files go with a message; others are refused by name', async () => {
  const page = await openPage(browser, server.address);
  let sent = null;
  await answering(page, 'ok');
  await page.route('**/v1/chat/completions', (route) => { sent = route.request().postDataJSON(); return route.fulfill({ status: 200, contentType: 'text/event-stream', body: stream('ok') }); });
  await page.begin();
  await page.waitForSelector('.composer textarea');
  await page.setInputFiles('.composer input[type=file]', [{ name: 'notes.md', mimeType: 'text/markdown', buffer: Buffer.from('# Notes\n') }, { name: 'cat.png', mimeType: 'image/png', buffer: Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0]) }]);
  await page.locator('.foot .notice').waitFor();
  assert.match(await page.locator('.foot .notice').innerText(), /cat\.png is not a text file/);
  assert.match(await page.locator('.composer .chip').innerText(), /notes\.md\s+8 B · (about )?\d+ tokens/);
  await say(page, 'What is in it?');
  assert.equal(sent.messages.at(-1).content, '<file name="notes.md" characters="8">\n# Notes\n\n</file>\n\nWhat is in it?');
  assert.match(await page.locator('.message.user .body').innerText(), /What is in it\?\s+notes\.md · 8 B/);
  await closed(page);
});

test('who waits sees the place in the queue', async () => {
  const page = await openPage(browser, server.address);
  await answering(page, '');
  await page.begin();
  await page.waitForSelector('.composer textarea');
  const shown = await page.evaluate(async () => {
    const base = document.querySelector('script[type=module]').src.replace(/main\.js$/, '');
    const { ChatState } = await import(`${base}chat/state.js`);
    const { MessageTree } = await import(`${base}chat/tree.js`);
    const { Transcript } = await import(`${base}chat/transcript.js`);
    let go;
    const backend = {
      keeps: false,
      async* send() {
        yield { kind: 'messages', user: { id: 1, parent: 0, role: 'user', state: 'complete', text: 'hi' }, assistant: { id: 2, parent: 1, role: 'assistant', state: 'streaming', text: '' } };
        yield { kind: 'queued', position: 3, eta: 12 };
        await new Promise((resolve) => { go = resolve; });
        yield { kind: 'text', text: 'there' };
        yield { kind: 'finish', reason: 'stop' };
      },
    };
    const state = new ChatState(backend, { id: 1 }, new MessageTree());
    const transcript = new Transcript({});
    document.body.append(transcript.element);
    transcript.open(state, '');
    const done = state.send('hi', {});
    const text = () => transcript.element.querySelector('.message.assistant').innerText;
    const frame = () => new Promise((resolve) => { requestAnimationFrame(() => requestAnimationFrame(resolve)); });
    await frame();
    const waiting = text();
    go();
    await done;
    await frame();
    const after = text();
    transcript.element.remove();
    return { waiting, after };
  });
  assert.match(shown.waiting, /3rd in the queue, about 12 s/);
  assert.match(shown.after, /^there/);
  await closed(page);
});

test('what fails says so where it happens, and nothing written is lost', async () => {
  const page = await openPage(browser, server.address);
  await answering(page, 'x');
  await page.route('**/v1/chat/completions', (route) => route.fulfill({ status: 429, headers: { 'Retry-After': '7' }, json: { error: { code: 'rate_limit_exceeded', message: 'no' } } }));
  await page.begin();
  await page.waitForSelector('.composer textarea');
  await say(page, 'hello?');
  assert.match(await lastAnswer(page).getByRole('alert').innerText(), /limit for this minute.*7 s/);
  await page.route('**/v1/chat/completions', (route) => route.fulfill({ status: 200, contentType: 'text/event-stream', body: 'data: {"choices":[{"delta":{"content":"half"}}]}\n\n' }));
  await lastAnswer(page).getByRole('button', { name: 'Regenerate' }).click();
  await page.waitForFunction(() => /connection broke/.test(document.querySelector('.transcript').innerText));
  assert.match(await lastAnswer(page).innerText(), /half/);
  await closed(page);
});

test('sign-in: a wrong password is told, the fields are kept to', async () => {
  const page = await openPage(browser, server.address);
  await pretend(page, { 'GET /session': null, 'POST /session': null });
  await page.begin();
  await page.getByLabel('Name').fill('anna');
  await page.getByLabel('Password').fill('wrong password');
  await page.keyboard.press('Enter');
  assert.match(await page.getByRole('alert').innerText(), /wrong/);
  assert.equal(await page.getByLabel('Name').inputValue(), 'anna');
  assert.equal(await page.getByLabel('Password').inputValue(), '');
  await closed(page);
});

test('the keyboard alone reaches everything, and focus is seen', async () => {
  const page = await openPage(browser, server.address);
  await pretend(page, madeUpTeam());
  await page.begin('#/chat/1');
  await page.waitForSelector('.message.assistant');
  const first = await page.evaluate(() => {
    const element = document.querySelector('a[href], button, input, select, textarea, [tabindex="0"]');
    element.focus();
    return element.textContent;
  });
  assert.equal(first, 'Skip to the content');
  const seen = new Set();
  for (let count = 0; count < 60; count += 1) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(() => {
      const element = document.activeElement;
      const style = getComputedStyle(element);
      const ring = style.outlineStyle !== 'none' || element.closest('.composer') !== null;
      return { name: element.getAttribute('aria-label') ?? element.textContent.trim().slice(0, 40), ring, body: element === document.body };
    });
    if (at.body) continue;
    assert.ok(at.ring, `${at.name} has no visible focus`);
    seen.add(at.name);
  }
  for (const name of ['Chat', 'Account', 'New chat', 'Search chats', 'Model', 'Edit', 'Copy', 'Regenerate', 'Attach text files', 'Message']) assert.ok(seen.has(name), `${name} is not reached`);
  await closed(page);
});

const views = ['#/chat', '#/chat/1', '#/usage', '#/keys', '#/account', '#/team', '#/team/groups', '#/team/keys', '#/team/quotas', '#/team/usage', '#/load', '#/audit'];
const looks = [
  { name: 'desktop, light', options: { colorScheme: 'light' } },
  { name: 'phone, dark, Chinese', options: { colorScheme: 'dark', locale: 'zh-CN', viewport: { width: 390, height: 844 } } },
];

for (const { name, options } of looks) {
  test(`axe finds nothing serious, and nothing is cut off: ${name}`, async () => {
    const page = await openPage(browser, server.address, options);
    const answers = madeUpTeam();
    await pretend(page, answers);
    const check = async (what) => {
      assert.deepEqual(await axe(page), [], what);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth && [...document.querySelectorAll('.page')].every((one) => one.scrollWidth <= one.clientWidth)), true, `${what} is wider than the window`);
    };
    for (const view of views) {
      await page.begin(view);
      await page.waitForSelector('.message, .welcome, .page .card');
      await page.waitForTimeout(100);
      await check(view);
    }
    await page.begin('#/team');
    await page.locator('header .button.primary').click();
    await check('the invitation');
    await page.locator('dialog .button.primary').click();
    await page.waitForSelector('dialog .qr');
    await check('the link');
    await page.keyboard.press('Escape');
    await page.begin('#/chat/1');
    await page.getByRole('button', { name: /Parameters|参数/ }).click();
    await check('the parameters');
    await page.keyboard.press('Escape');
    answers['GET /session'] = null;
    for (const view of ['#/', '#/invite/good', '#/invite/bad']) {
      await page.goto('about:blank');
      await page.begin(view);
      await page.waitForSelector('.gate form, .gate .notice');
      await check(`signed out: ${view}`);
    }
    assert.deepEqual(page.wrong.filter((wrong) => !wrong.includes('about:blank')), []);
    await page.context().close();
  });
}
