/* The state of one answer, built from the events of its stream.
 *
 * Pure: events in, state out. The same event may come more than once (a
 * reconnect, a second path); its number decides. Every answer ends exactly
 * once, and nothing after the end changes it. */

/* 'waiting' and 'streaming' are open, the others final. */
const FINAL = {
    response_complete: 'complete',
    response_cancelled: 'cancelled',
    error: 'error',
};

/* Does it end its answer? */
export const isLast = (event) => event.type in FINAL;

export const EVENT_TYPES = [
    'response_start', 'context', 'reasoning_chunk', 'response_chunk',
    'tool_call', 'tool_result', 'citation', 'response_complete',
    'response_cancelled', 'error',
];

export function newAnswer() {
    return {
        status: 'waiting',
        seq: 0,          /* number of the last event taken */
        text: '',
        reasoning: '',
        tools: [],       /* {id, name, arguments, ok, content} */
        info: {},        /* message_id, model, provider, usage, … */
        error: null,     /* {code, message, hint, retryable} */
    };
}

export function isFinal(answer) {
    return answer.status !== 'waiting' && answer.status !== 'streaming';
}

/* "<turn id>.<number>" as it stands in an event's id; null if it does not. */
export function parseEventId(id) {
    const m = /^(.+)\.(\d{1,10})$/.exec(id ?? '');
    return m && { turn: m[1], seq: Number(m[2]) };
}

function addTool(answer, event) {
    const tool = answer.tools.find((t) => t.id === event.id);
    if (tool)
        Object.assign(tool, { ok: event.ok, content: event.content });
    else
        answer.tools.push({ ...event });
}

function end(answer, event) {
    answer.status = FINAL[event.type];
    if (typeof event.content === 'string')
        answer.text = event.content;
    if (event.type === 'error')
        answer.error = {
            code: event.code,
            message: event.error || event.message,
            hint: event.error ? event.message ?? '' : '',
            retryable: event.retryable !== false,
        };
    const { type, content, code, message, error, retryable, ...info } = event;
    Object.assign(answer.info, info);
}

/* Takes event number seq. Gives 'old' for one that was seen, 'gap' (and no
 * change) when one before it is missing, else 'new'. The last one has the whole
 * text and misses nothing: so ends an answer whose stream was made anew. */
export function applyEvent(answer, seq, event) {
    if (isFinal(answer) || seq <= answer.seq)
        return 'old';
    if (seq > answer.seq + 1 && !isLast(event))
        return 'gap';
    answer.seq = seq;
    switch (event.type) {
    case 'response_start': {
        const { type, ...info } = event;
        Object.assign(answer.info, info);
        break;
    }
    case 'response_chunk':
        answer.status = 'streaming';
        answer.text += event.content ?? '';
        break;
    case 'reasoning_chunk':
        answer.reasoning += event.content ?? '';
        break;
    case 'tool_call':
    case 'tool_result':
        addTool(answer, event);
        break;
    default:
        if (isLast(event))
            end(answer, event);
    }
    return 'new';
}
