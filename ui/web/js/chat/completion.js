// A streamed answer as plain events, whichever way it came. What arrives and is not understood is left alone.
import { ApiError, errorOf } from '../api.js';
import { eventsOf, queueOf } from '../sse.js';

/** One chunk of a chat completion → the events in it. Pure. */
export function chunkEvents(chunk) {
  const out = [];
  if (chunk.error) throw errorOf(chunk, 0, 0);
  const choice = chunk.choices?.[0];
  const delta = choice?.delta ?? {};
  const reasoning = delta.reasoning_content ?? delta.reasoning;
  if (reasoning) out.push({ kind: 'reasoning', text: reasoning });
  if (delta.content) out.push({ kind: 'text', text: delta.content });
  for (const call of delta.tool_calls ?? []) {
    out.push({ kind: 'tool', index: call.index ?? 0, id: call.id ?? '', name: call.function?.name ?? '', arguments: call.function?.arguments ?? '' });
  }
  if (choice?.finish_reason) out.push({ kind: 'finish', reason: choice.finish_reason });
  if (chunk.usage) out.push({ kind: 'usage', usage: chunk.usage, timings: chunk.hearth ?? null });
  return out;
}

/** The events of a streaming response: messages, queued, text, reasoning, tool, finish, usage. Ends with the stream; throws ApiError. */
export async function* completionEvents(response) {
  let done = false;
  try {
    for await (const item of eventsOf(response)) {
      if (item.comment !== undefined) {
        const queue = queueOf(item.comment);
        if (queue) yield { kind: 'queued', ...queue };
        continue;
      }
      if (item.data === '[DONE]') {
        done = true;
        return;
      }
      const data = JSON.parse(item.data);
      if (item.event === 'messages') yield { kind: 'messages', ...data };
      else if (item.event === 'error') throw errorOf(data, 0, 0);
      else yield* chunkEvents(data);
    }
  } catch (error) {
    if (error instanceof ApiError) throw error;
    if (error.name === 'AbortError') throw new ApiError('aborted', 'aborted');
    throw new ApiError(error instanceof SyntaxError ? 'bad_answer' : 'network', String(error.message));
  }
  if (!done) throw new ApiError('cut_off', 'the stream ended early');
}

/** Puts an event's text into the message it belongs to. Pure but for the message. */
export function applyEvent(message, event) {
  switch (event.kind) {
    case 'text': message.text += event.text; break;
    case 'reasoning': message.reasoning = (message.reasoning ?? '') + event.text; break;
    case 'tool': {
      message.tool_calls ??= [];
      const call = (message.tool_calls[event.index] ??= { id: '', name: '', arguments: '' });
      call.id ||= event.id;
      call.name ||= event.name;
      call.arguments += event.arguments;
      break;
    }
    case 'finish':
      message.state = 'complete';
      message.length_limited = event.reason === 'length';
      break;
    case 'usage':
      message.prompt_tokens = event.usage.prompt_tokens;
      message.generated_tokens = event.usage.completion_tokens;
      if (event.timings) {
        message.tokens_per_second = event.timings.tokens_per_second;
        message.first_token_seconds = event.timings.first_token_seconds;
      }
      break;
    default: break;
  }
}
