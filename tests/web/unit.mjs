// What needs no browser: node --test tests/web/unit.mjs
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

import en from '../../ui/web/i18n/en.js';
import zh from '../../ui/web/i18n/zh.js';
import { compose, decompose, estimateTokens, textOf } from '../../ui/web/js/chat/attachments.js';
import { applyEvent, chunkEvents, completionEvents } from '../../ui/web/js/chat/completion.js';
import { wireMessages } from '../../ui/web/js/chat/memory_backend.js';
import { ApiError } from '../../ui/web/js/api.js';
import { ChatState } from '../../ui/web/js/chat/state.js';
import { MessageTree } from '../../ui/web/js/chat/tree.js';
import { age, bytes } from '../../ui/web/js/format.js';
import { preferredLanguage, setLanguage, t } from '../../ui/web/js/i18n.js';
import { routeOf } from '../../ui/web/js/router.js';
import { EventParser, queueOf } from '../../ui/web/js/sse.js';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../ui/web');

function sources(folder = path.join(root, 'js')) {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) return sources(file);
    return entry.name.endsWith('.js') ? [{ file, text: fs.readFileSync(file, 'utf8') }] : [];
  });
}

test('both languages have the same keys and the same places', () => {
  assert.deepEqual(Object.keys(zh).sort(), Object.keys(en).sort());
  const places = (text) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
  for (const key of Object.keys(en)) {
    assert.ok(en[key].trim() && zh[key].trim(), `${key} is empty`);
    const known = new Set(places(en[key]));
    if (key === 'queue.position') known.add('n');  // English says 3rd, Chinese 3
    for (const place of places(zh[key])) assert.ok(known.has(place), `${key}: {${place}} is in Chinese alone`);
  }
});

test('every key that the code names exists, and every key is named', () => {
  const all = sources().map((source) => source.text).join('\n');
  const named = new Set();
  for (const match of all.matchAll(/\bt\(\s*'([^']+)'/g)) named.add(match[1]);
  for (const key of named) assert.ok(en[key] !== undefined, `t('${key}') has no words`);
  const quoted = new Set([...all.matchAll(/'([a-z_]+(?:\.[a-z_0-9]+)*)'/g)].map((match) => match[1]));
  const made = [...all.matchAll(/`([a-z_]+\.[a-z_]*)\$\{/g)].map((match) => match[1]);  // t(`nav.${name}`)
  for (const key of Object.keys(en)) {
    const base = key.replace(/\.one$/, '');
    assert.ok(quoted.has(base) || made.some((prefix) => base.startsWith(prefix)), `${key} is used nowhere`);
  }
});

test('no source makes markup or code from strings, and none is long', () => {
  for (const { file, text } of sources()) {
    assert.doesNotMatch(text, /\b(?:innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval|new Function)\b/, file);
    assert.ok(text.split('\n').length <= 420, `${file} is too long`);
  }
  assert.doesNotMatch(fs.readFileSync(path.join(root, 'index.html'), 'utf8'), /<style|style=|\son\w+=|https?:/);
});

test('stylesheets name colours in tokens.css alone', () => {
  for (const name of fs.readdirSync(path.join(root, 'css'))) {
    if (name === 'tokens.css') continue;
    const text = fs.readFileSync(path.join(root, 'css', name), 'utf8').replace(/\.qr \{[^}]*\}/, '');  // readers need black on white
    assert.doesNotMatch(text, /#[0-9a-f]{3,8}\b|rgba?\(|hsl/i, name);
    assert.doesNotMatch(text, /url\(|@import/, name);
  }
});

test('words are filled in, singular where there is one, unknown keys shown as they are', () => {
  setLanguage('en');
  assert.equal(t('chat.tokens', { n: 1, count: 1 }), '1 token');
  assert.equal(t('chat.tokens', { n: 2, count: 2 }), '2 tokens');
  assert.equal(t('no.such.key'), 'no.such.key');
  assert.equal(preferredLanguage(null, ['zh-TW', 'en']), 'zh');
  assert.equal(preferredLanguage(null, ['en-GB', 'zh']), 'en');
  assert.equal(preferredLanguage('en', ['zh']), 'en');
  assert.equal(preferredLanguage('xx', undefined), 'en');
});

// ---- server-sent events

const stream = 'data: {"a":1}\n\n: queued position=3 eta=12\r\n\r\nevent: messages\r\ndata: one\r\ndata:two\r\n\r\ndata: [DONE]\n\n';
const expected = [{ event: 'message', data: '{"a":1}' }, { comment: 'queued position=3 eta=12' }, { event: 'messages', data: 'one\ntwo' }, { event: 'message', data: '[DONE]' }];

test('events are the same however the stream is cut', () => {
  for (let size = 1; size <= stream.length; size += 1) {
    const parser = new EventParser();
    const out = [];
    for (let at = 0; at < stream.length; at += size) out.push(...parser.push(stream.slice(at, at + size)));
    assert.deepEqual(out, expected, `pieces of ${size}`);
  }
});

test('queue comments in both spellings; others are no queue', () => {
  assert.deepEqual(queueOf('queued position=3 eta=12'), { position: 3, eta: 12 });
  assert.deepEqual(queueOf('queued 3, about 1.5 s'), { position: 3, eta: 1.5 });
  assert.deepEqual(queueOf('queued position=1'), { position: 1, eta: null });
  assert.equal(queueOf(''), null);
  assert.equal(queueOf('keep-alive'), null);
});

const responseOf = (text, cut = 7) => ({
  body: new ReadableStream({
    start(controller) {
      const data = new TextEncoder().encode(text);
      for (let at = 0; at < data.length; at += cut) controller.enqueue(data.slice(at, at + cut));
      controller.close();
    },
  }),
});
const collect = async (response) => {
  const out = [];
  for await (const event of completionEvents(response)) out.push(event);
  return out;
};
const chunk = (delta, more = {}) => `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: null, ...more }] })}\n\n`;

test('an answer: text in any script, reasoning, calls in pieces, usage', async () => {
  const text = chunk({ role: 'assistant', content: '' }) + chunk({ reasoning_content: '想' }) + chunk({ content: 'Hi 🔥' }) +
    chunk({ tool_calls: [{ index: 0, id: 'c1', type: 'function', function: { name: 'look', arguments: '{"a"' } }] }) +
    chunk({ tool_calls: [{ index: 0, function: { arguments: ':1}' } }] }) + chunk({}, { finish_reason: 'tool_calls' }) +
    'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":5},"hearth":{"tokens_per_second":20,"first_token_seconds":0.5}}\n\ndata: [DONE]\n\n';
  const message = { text: '', state: 'streaming' };
  for (const event of await collect(responseOf(text, 3))) applyEvent(message, event);
  assert.deepEqual(message, {
    text: 'Hi 🔥', reasoning: '想', state: 'complete', length_limited: false, tool_calls: [{ id: 'c1', name: 'look', arguments: '{"a":1}' }],
    prompt_tokens: 3, generated_tokens: 5, tokens_per_second: 20, first_token_seconds: 0.5,
  });
});

test('errors inside a stream, broken streams and broken chunks have their codes', async () => {
  await assert.rejects(collect(responseOf('data: {"error":{"code":"out_of_memory","message":"m"}}\n\n')), { code: 'out_of_memory' });
  await assert.rejects(collect(responseOf(chunk({ content: 'a' }))), { code: 'cut_off' });
  await assert.rejects(collect(responseOf('data: {nonsense\n\n')), { code: 'bad_answer' });
  assert.deepEqual(chunkEvents({ object: 'something else' }), []);
});

// ---- the tree

const node = (id, parent, role = 'user') => ({ id, parent, role, text: `m${id}` });

test('branches: path, siblings, newest leaf', () => {
  const tree = new MessageTree([node(1, 0), node(2, 1, 'assistant'), node(3, 1, 'assistant'), node(4, 3), node(5, 0)], 2);
  assert.deepEqual(tree.path().map((message) => message.id), [1, 2]);
  assert.deepEqual(tree.siblings(tree.get(3)), { index: 1, ids: [2, 3] });
  assert.deepEqual(tree.siblings(tree.get(5)), { index: 1, ids: [1, 5] });
  assert.equal(tree.latestLeaf(1), 4);
  assert.equal(tree.latestLeaf(0), 5);
  tree.add({ id: 2, text: 'more' });
  assert.equal(tree.get(2).text, 'more');
  assert.equal(tree.size, 5);
  assert.equal(new MessageTree([node(1, 0), node(2, 1)], 99).leaf, 2, 'an unknown leaf falls back to the newest');
  assert.deepEqual(new MessageTree().path(), []);
});

test('what the model gets leaves failed answers out and has the instructions first', () => {
  const path_ = [{ role: 'user', text: 'a' }, { role: 'assistant', text: '' }, { role: 'user', text: 'b' }];
  assert.deepEqual(wireMessages(path_, 'be short'), [{ role: 'system', content: 'be short' }, { role: 'user', content: 'a' }, { role: 'user', content: 'b' }]);
});

// ---- attachments

test('files go into a message and come out again, whatever they hold', () => {
  const files = [{ name: 'a.txt', text: 'x\n</file>\n\n<file name="b" characters="3">\n' }, { name: 'leer.md', text: '' }, { name: '表.csv', text: '一,二\n' }];
  const message = compose(files, 'What is this?\n<file');
  assert.deepEqual(decompose(message), { files, text: 'What is this?\n<file' });
  assert.deepEqual(decompose(compose([], 'plain')), { files: [], text: 'plain' });
  assert.equal(decompose(compose([{ name: 'a"b\nc', text: 'x' }], '')).files[0].name, 'a_b_c');
});

test('what only looks like a file stays text', () => {
  for (const text of ['<file name="a" characters="5">\nxx', '<file name="a" characters="999999999">\nx\n</file>\n\n', '<file name="a">\nx\n</file>\n\n']) {
    assert.deepEqual(decompose(text), { files: [], text });
  }
});

test('bytes that are not text are refused', () => {
  assert.equal(textOf(new Uint8Array([0x89, 0x50, 0, 1]).buffer), null);
  assert.equal(textOf(new Uint8Array([0xff, 0xfe, 0x41]).buffer), null);
  assert.equal(textOf(new TextEncoder().encode('a\r\nb\rc').buffer), 'a\nb\nc');
  assert.ok(estimateTokens('word '.repeat(100)) > 90);
  assert.ok(estimateTokens('模型'.repeat(50)) >= 100);
});

test('addresses, sizes and ages', () => {
  assert.deepEqual(routeOf('#/invite/a%2Fb'), ['invite', 'a/b']);
  assert.deepEqual(routeOf('#/bad/%zz'), ['bad', '%zz']);
  assert.deepEqual(routeOf(''), []);
  assert.equal(bytes(999), '999 B');
  assert.equal(bytes(1_250_000), '1.3 MB');
  const noon = new Date(2026, 5, 15, 12).getTime();
  assert.equal(age(noon - 3_600_000, noon), 'today');
  assert.equal(age(noon - 20 * 3_600_000, noon), 'yesterday');
  assert.equal(age(noon - 90 * 86_400_000, noon), 'older');
});

// ---- an open conversation

test('an answer that goes on without us is followed to its end', async () => {
  const states = ['streaming', 'streaming', 'complete'];
  const backend = {
    keeps: true,
    async load() {
      const state = states.shift();
      return { tree: new MessageTree([{ ...node(1, 0), state: 'complete' }, { ...node(2, 1, 'assistant'), state, text: state }]) };
    },
  };
  const state = new ChatState(backend, { id: 7 }, new MessageTree([{ ...node(1, 0), state: 'complete' }, { ...node(2, 1, 'assistant'), state: 'streaming', text: '' }]));
  const following = state.follow();
  assert.ok(state.running);
  await following;
  assert.ok(!state.running);
  assert.equal(state.tree.get(2).state, 'complete');
  assert.equal(state.tree.get(2).text, 'complete');
});

test('a lost connection is not a failed answer where the server keeps it', async () => {
  const backend = {
    keeps: true,
    async* send() {
      yield { kind: 'messages', user: { ...node(1, 0), state: 'complete' }, assistant: { ...node(2, 1, 'assistant'), state: 'streaming', text: '' } };
      yield { kind: 'text', text: 'half' };
      throw new ApiError('cut_off', '');
    },
    async load() {
      return { tree: new MessageTree([{ ...node(1, 0), state: 'complete' }, { ...node(2, 1, 'assistant'), state: 'complete', text: 'half and whole' }]) };
    },
  };
  const state = new ChatState(backend, { id: 7 }, new MessageTree());
  await state.send('hi', {});
  await new Promise((resolve) => { setTimeout(resolve, 20); });
  assert.deepEqual([state.tree.get(2).state, state.tree.get(2).text, state.tree.get(2).error], ['complete', 'half and whole', undefined]);
});

test('what was never acknowledged is an error of the sender, and changes nothing', async () => {
  const backend = { keeps: true, async* send() { throw new ApiError('insufficient_quota', ''); } };
  const state = new ChatState(backend, { id: 7 }, new MessageTree([node(1, 0)]));
  await assert.rejects(state.send('hi', {}), { code: 'insufficient_quota' });
  assert.ok(!state.running);
  assert.equal(state.tree.leaf, 1);
});
