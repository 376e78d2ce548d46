/* What the reader thinks of an answer: thumbs up, thumbs down, or nothing. */

import { announce } from './announce.js';
import { rateMessage } from './api.js';
import { iconButton } from './dom.js';

const WORDS = { 1: 'Good answer', '-1': 'Bad answer' };

/* The two buttons for the message with this id; rating: 1, -1 or 0. */
export function ratingButtons(id, rating = 0) {
    const show = () => buttons.forEach((b, i) =>
        b.setAttribute('aria-pressed', String(rating === (i ? -1 : 1))));
    const rate = async (wanted) => {
        const old = rating;
        rating = rating === wanted ? 0 : wanted;
        show();
        try {
            await rateMessage(id, rating);
            announce(rating ? 'Thank you' : 'Taken back');
        } catch (e) {
            rating = old;
            show();
            const { tellFailure } = await import('./later/dialog.js');
            tellFailure('Your rating was not saved', e);
        }
    };
    const buttons = [1, -1].map((value) => iconButton('thumb', WORDS[value],
        () => rate(value), { class: `icon-button rate ${value < 0 ? 'down'
            : 'up'}` }));
    show();
    return buttons;
}
