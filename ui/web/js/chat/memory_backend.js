// Chats that are not kept: they live in this page alone and go with it. Answers come from /v1/chat/completions, statelessly.
import { open } from '../api.js';
import { completionEvents } from './completion.js';
import { MessageTree } from './tree.js';

/** What the model gets: the branch up to `leaf`, with the instructions before it. Failed and empty answers are left out. */
export function wireMessages(path, systemPrompt) {
  const out = systemPrompt ? [{ role: 'system', content: systemPrompt }] : [];
  for (const message of path) {
    if (message.role === 'assistant' && !message.text) continue;
    out.push({ role: message.role, content: message.text });
  }
  return out;
}

export class MemoryBackend {
  keeps = false;
  #next = -1;
  #chats = new Map();

  #id() {
    this.#next -= 1;
    return this.#next;
  }

  async list() {
    return [];
  }

  async create({ model }) {
    const now = Date.now();
    const conversation = { id: this.#id(), title: '', model, system_prompt: '', created_ms: now, updated_ms: now, active_leaf: 0 };
    this.#chats.set(conversation.id, { conversation, tree: new MessageTree() });
    return conversation;
  }

  async load(id) {
    return this.#chats.get(id) ?? null;
  }

  async update(id, changes) {
    const { conversation } = this.#chats.get(id);
    return Object.assign(conversation, changes);
  }

  async erase(id) {
    this.#chats.delete(id);
  }

  async stop() { /* closing the connection is enough */ }

  async* send(id, { parent, text, model, options }, signal) {
    const user = { id: this.#id(), parent, role: 'user', state: 'complete', text, created_ms: Date.now() };
    yield* this.#answer(id, user, user.id, model, options, signal);
  }

  async* regenerate(id, message, { model, options }, signal) {
    yield* this.#answer(id, null, message.parent, model, options, signal);
  }

  async* #answer(id, user, parent, model, options, signal) {
    const { conversation, tree } = this.#chats.get(id);
    const assistant = { id: this.#id(), parent, role: 'assistant', state: 'streaming', text: '', model, created_ms: Date.now() };
    yield { kind: 'messages', user, assistant };
    const body = {
      ...options, model, stream: true, stream_options: { include_usage: true },
      messages: wireMessages(tree.path(parent), conversation.system_prompt),
    };
    const response = await open('POST', '/v1/chat/completions', { body, signal, accept: 'text/event-stream' });
    yield* completionEvents(response);
  }
}
