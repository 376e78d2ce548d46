/* Words and numbers for time. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
    ageGroup, backoffMs, retryAfterMs,
} from '../../../static/js/time.js';

test('Retry-After in seconds, as a date, and neither', () => {
    const now = Date.UTC(2024, 0, 1);
    assert.equal(retryAfterMs('7', now), 7000);
    assert.equal(retryAfterMs('0', now), 0);
    assert.equal(
        retryAfterMs('Mon, 01 Jan 2024 00:00:30 GMT', now), 30000);
    assert.equal(
        retryAfterMs('Sun, 31 Dec 2023 00:00:00 GMT', now), 0);
    assert.equal(retryAfterMs(null, now), null);
    assert.equal(retryAfterMs('soon', now), null);
});

test('pauses double up to the ceiling', () => {
    assert.deepEqual([0, 1, 2, 3, 4, 50].map((n) => backoffMs(n)),
        [1000, 2000, 4000, 8000, 15000, 15000]);
});

test('a clock that is ahead still says today', () => {
    const now = new Date(2024, 4, 10, 12).getTime();
    assert.equal(ageGroup(now + 3600000, now), 'Today');
    assert.equal(ageGroup(now + 86400000, now), 'Today');
});
