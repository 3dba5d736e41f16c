// Server-sent events as the specification has them, from pieces cut anywhere; comments too, they say who waits where.

/** push(text) → the events that are complete by now: {event, data} or {comment}. Pure but for its rest. */
export class EventParser {
  #rest = '';
  #data = [];
  #event = '';
  #sawReturn = false;

  push(text) {
    const out = [];
    // A \r\n cut between its halves is one end of line, not two.
    if (this.#sawReturn && text.startsWith('\n')) text = text.slice(1);
    if (text) this.#sawReturn = text.endsWith('\r');
    const lines = (this.#rest + text).split(/\r\n|\n|\r/);
    this.#rest = lines.pop();
    for (const line of lines) this.#line(line, out);
    return out;
  }

  #line(line, out) {
    if (line === '') {
      if (this.#data.length > 0) out.push({ event: this.#event || 'message', data: this.#data.join('\n') });
      this.#data = [];
      this.#event = '';
      return;
    }
    if (line.startsWith(':')) {
      out.push({ comment: line.slice(1).trim() });
      return;
    }
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? '' : line.slice(colon + 1);
    if (value.startsWith(' ')) value = value.slice(1);
    if (name === 'data') this.#data.push(value);
    else if (name === 'event') this.#event = value;
  }
}

/** ": queued position=3 eta=12" → {position: 3, eta: 12}; null for other comments. */
export function queueOf(comment) {
  const found = /^queued\s+(?:position=)?(\d+)(?:.*?(?:eta=|about\s+)(\d+(?:\.\d+)?))?/.exec(comment);
  return found ? { position: Number(found[1]), eta: found[2] === undefined ? null : Number(found[2]) } : null;
}

/** The events of a streaming response, one after another. */
export async function* eventsOf(response) {
  const parser = new EventParser();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield* parser.push(value);
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
