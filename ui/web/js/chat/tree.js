// The messages of a conversation: a tree, because editing and regenerating add and never overwrite. Pure.

const ROOT = 0;

export class MessageTree {
  #messages = new Map();
  #children = new Map();

  constructor(messages = [], leaf = 0) {
    for (const message of messages) this.add(message);
    this.leaf = this.#messages.has(leaf) ? leaf : this.latestLeaf(ROOT);
  }

  get size() {
    return this.#messages.size;
  }

  get(id) {
    return this.#messages.get(id) ?? null;
  }

  /** Adds a message below its parent, or takes the place of the one with its id. */
  add(message) {
    const known = this.#messages.get(message.id);
    if (known) {
      Object.assign(known, message);
      return known;
    }
    const parent = message.parent || ROOT;
    this.#messages.set(message.id, message);
    if (!this.#children.has(parent)) this.#children.set(parent, []);
    this.#children.get(parent).push(message.id);
    return message;
  }

  children(id) {
    return this.#children.get(id || ROOT) ?? [];
  }

  /** From the root to the leaf that is shown. */
  path(leaf = this.leaf) {
    const out = [];
    for (let message = this.get(leaf); message; message = this.get(message.parent)) out.push(message);
    return out.reverse();
  }

  /** {index, ids} of a message among those with its parent. */
  siblings(message) {
    const ids = this.children(message.parent);
    return { index: ids.indexOf(message.id), ids };
  }

  /** The newest leaf below a message (or of all). */
  latestLeaf(id) {
    for (;;) {
      const below = this.children(id);
      if (below.length === 0) return id;
      id = below[below.length - 1];
    }
  }
}
