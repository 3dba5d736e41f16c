// Text files that go with a message. In the message they stand as marked sections before the words, so that every model and
// every API can read them; the page shows them as chips. Pure, but for reading a File.

const HEAD = /^<file name="([^"\n]{1,255})" characters="(\d{1,9})">\n/;
const TAIL = '\n</file>\n\n';
export const kMostBytes = 2_000_000;

/** The message's text: files first, then the words. */
export function compose(files, text) {
  return files.map((file) => `<file name="${file.name.replace(/["\n\r]/g, '_').slice(0, 255)}" characters="${file.text.length}">\n${file.text}${TAIL}`).join('') + text;
}

/** compose() undone: {files, text}. Text that only looks like it stays text. */
export function decompose(message) {
  const files = [];
  let rest = message;
  for (;;) {
    const head = HEAD.exec(rest);
    if (!head) break;
    const length = Number(head[2]);
    const end = head[0].length + length;
    if (!rest.startsWith(TAIL, end)) break;
    files.push({ name: head[1], text: rest.slice(head[0].length, end) });
    rest = rest.slice(end + TAIL.length);
  }
  return { files, text: rest };
}

/** The text of bytes, or null when they are not text. */
export function textOf(buffer) {
  const bytes = new Uint8Array(buffer);
  if (bytes.subarray(0, 8192).includes(0)) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/\r\n?/g, '\n');
  } catch {
    return null;
  }
}

/** Three to four letters of most languages make a token, and about one of those written in ideographs. */
export function estimateTokens(text) {
  let wide = 0;
  for (const character of text) if (character.codePointAt(0) > 0x2e7f) wide += 1;
  return Math.ceil((text.length - wide) / 3.6 + wide);
}
