// One conversation that is open: its tree, and the answer that is being written. Knows nothing of elements.
import { applyEvent } from './completion.js';

/** Fires 'change' (the tree or its leaf is another), 'message' (detail: the message that grew), 'queue', 'end'. */
export class ChatState extends EventTarget {
  #abort = null;
  #followed = null;  // the message that somebody else's request, or a lost one of ours, is writing

  constructor(backend, conversation, tree) {
    super();
    this.backend = backend;
    this.conversation = conversation;
    this.tree = tree;
    this.queue = null;   // {position, eta} while it waits
    this.answer = null;  // the message that is being written
  }

  get running() {
    return this.#abort !== null || this.#followed !== null;
  }

  #fire(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  /** Sends below `parent` (default: the leaf that is shown). Resolves when the answer is over; rejects when nothing was sent at all. */
  send(text, { model, options, parent = this.tree.leaf }) {
    return this.#run((signal) => this.backend.send(this.conversation.id, { parent, text, model, options }, signal));
  }

  /** Another answer beside `message`. */
  regenerate(message, { model, options }) {
    return this.#run((signal) => this.backend.regenerate(this.conversation.id, message, { model, options }, signal));
  }

  async #run(start) {
    if (this.running) return;
    this.#abort = new AbortController();
    const before = this.tree.leaf;
    this.queue = null;
    this.#fire('change');
    let answer = null;
    let lost = false;  // the connection, not the answer: the server goes on writing
    try {
      for await (const event of start(this.#abort.signal)) {
        if (event.kind === 'messages') {
          if (event.user) this.tree.add(event.user);
          answer = this.tree.add(event.assistant);
          answer.text ??= '';
          this.answer = answer;
          this.tree.leaf = answer.id;
          this.#fire('change');
        } else if (event.kind === 'queued') {
          this.queue = event;
          this.#fire('queue');
        } else if (answer) {
          if (event.kind === 'text' || event.kind === 'reasoning' || event.kind === 'tool') this.queue = null;
          if (event.kind === 'reasoning') answer.thinking_since ??= Date.now();
          if (event.kind === 'text' && answer.thinking_since) answer.thought_seconds ??= (Date.now() - answer.thinking_since) / 1000;
          applyEvent(answer, event);
          this.#fire('message', answer);
        }
      }
      if (answer && answer.state === 'streaming') answer.state = 'complete';
    } catch (error) {
      if (!answer) {
        this.tree.leaf = before;
        throw error;
      }
      answer.state = error.code === 'aborted' ? 'stopped' : 'failed';
      if (answer.state === 'failed') answer.error = error;
      lost = this.backend.keeps && ['network', 'cut_off'].includes(error.code);
    } finally {
      this.#abort = null;
      this.answer = null;
      this.queue = null;
      this.conversation.updated_ms = Date.now();
      if (answer) this.#fire('message', answer);
      this.#fire('change');
      this.#fire('end', answer);
    }
    if (lost) void this.follow();
  }

  /** Where an answer is being written without us (the page was loaded anew, the connection broke): asks until it is done. */
  async follow() {
    const writing = this.backend.keeps && !this.running ? this.tree.path().at(-1) : null;
    if (!writing || writing.role !== 'assistant' || !(writing.state === 'streaming' || writing.state === 'failed')) return;
    this.#followed = writing;
    this.#fire('change');
    for (let failures = 0; this.#followed && failures < 30;) {
      try {
        const now = (await this.backend.load(this.conversation.id)).tree.get(writing.id);
        failures = 0;
        if (!now) break;
        const error = now.state === 'failed' ? now.error : undefined;
        this.tree.add({ ...now, error });
        this.answer = now.state === 'streaming' ? writing : null;
        this.#fire('message', writing);
        if (now.state !== 'streaming') break;
      } catch {
        failures += 1;
      }
      await new Promise((resolve) => { setTimeout(resolve, 1000); });
    }
    this.#followed = null;
    this.answer = null;
    this.#fire('message', writing);
    this.#fire('change');
    this.#fire('end', writing);
  }

  stop() {
    if (this.#followed) {
      this.backend.stop(this.conversation.id).catch(() => {});
      return;
    }
    if (!this.#abort) return;
    // Kept answers go on without a reader: they must be told.
    if (this.answer) this.backend.stop(this.conversation.id).catch(() => {});
    this.#abort.abort();
  }

  /** Shows another branch: the newest leaf below `id`. */
  choose(id) {
    this.tree.leaf = this.tree.latestLeaf(id);
    this.#fire('change');
    if (this.backend.keeps) this.backend.update(this.conversation.id, { active_leaf: this.tree.leaf }).catch(() => {});
  }

  async rename(title) {
    Object.assign(this.conversation, await this.backend.update(this.conversation.id, { title }));
    this.#fire('change');
  }
}
