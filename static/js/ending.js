/* How an answer ended, in words, and what can be done about it. */

const ENDINGS = {
    cancelled: 'You stopped this answer.',
    interrupted: 'This answer was interrupted.',
    incomplete: 'This answer is incomplete.',
    error: 'This answer is incomplete.',
    length: 'This answer reached the length limit.',
    content_filter: 'The provider withheld the rest of this answer.',
};
const RETRIED = ['error', 'interrupted', 'incomplete', 'cancelled'];
const CONTINUED = [...RETRIED, 'length'];
const CONTINUE = 'Continue where you stopped.';

/* '' when there is nothing to say. */
export function endingOf(finishReason) {
    return ENDINGS[finishReason] ?? '';
}

/* Below the last message of the record: one that is not a whole answer offers
 * to ask again. last: what is shown; stored: the record of it; look() looks for
 * an answer once more. */
export function offerAgain(last, stored, { question, ask, look }) {
    if (!last || !question)
        return;
    const again = (text) => {
        last.say(null);
        ask(text);
    };
    if (stored.role === 'user') {
        last.say({
            text: 'No answer is stored yet.', quiet: true,
            actions: [{ label: 'Look again', run: look },
                { label: 'Ask again', run: () => again(question) }],
        });
        return;
    }
    const ending = endingOf(stored.finish_reason);
    if (ending)
        last.say({ text: ending, quiet: true,
            actions: offersFor(stored.finish_reason,
                { question, answer: last.text, ask: again }) });
}

/* The actions of a notice below such an answer. The model has the part that is
 * there in its history and can go on from it; without one there is only asking
 * again. ask(text) sends. */
export function offersFor(finishReason, { question, answer, ask }) {
    const offers = [];
    if (answer && CONTINUED.includes(finishReason))
        offers.push({ label: 'Continue', run: () => ask(CONTINUE) });
    if (RETRIED.includes(finishReason))
        offers.push({ label: 'Retry', run: () => ask(question) });
    return offers;
}
