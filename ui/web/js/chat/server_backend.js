// Conversations that the server keeps: what is acknowledged is on its disk, and an answer goes on when this page is closed.
import { get, open, patch, post, remove } from '../api.js';
import { completionEvents } from './completion.js';
import { MessageTree } from './tree.js';

const path = (id) => `/conversations/${encodeURIComponent(id)}`;

export class ServerBackend {
  keeps = true;

  async list(search = '') {
    const answer = await get(`/conversations${search ? `?search=${encodeURIComponent(search)}` : ''}`);
    return answer.conversations;
  }

  create({ model }) {
    return post('/conversations', { model });
  }

  async load(id) {
    const { conversation, messages } = await get(path(id));
    return { conversation, tree: new MessageTree(messages, conversation.active_leaf) };
  }

  update(id, changes) {
    return patch(path(id), changes);
  }

  erase(id) {
    return remove(path(id));
  }

  stop(id) {
    return post(`${path(id)}/stop`);
  }

  async* send(id, { parent, text, model, options }, signal) {
    yield* this.#stream(`${path(id)}/messages`, { ...options, parent, text, model }, signal);
  }

  async* regenerate(id, message, { model, options }, signal) {
    yield* this.#stream(`${path(id)}/messages/${encodeURIComponent(message.id)}/regenerate`, { ...options, model }, signal);
  }

  async* #stream(target, body, signal) {
    const response = await open('POST', `/hearth/v1${target}`, { body, signal, accept: 'text/event-stream' });
    yield* completionEvents(response);
  }
}
