/* Full-text search over HTTP: GET /sessions?q=. The index is fed behind the
 * answers' backs, so tests wait until it has what was said. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ask, call, newSession, postJson } from '../lib/client.js';
import { answerOne } from '../lib/one.js';
import { startParley } from '../lib/server.js';
import { until } from '../lib/wait.js';

let parley;

before(async () => { parley = await startParley(); });
after(() => parley.stop());

async function find(q, more = '') {
    const r = await call(parley, `/sessions?q=${encodeURIComponent(q)}${more}`);
    assert.equal(r.status, 200, r.text);
    return r.body;
}

const ids = (found) => found.sessions.map((s) => s.session_id).sort();

/* Wait until the search gives these sessions and says that it has all. */
async function finds(q, want, more) {
    let found;
    await until(`${q} to find ${want}`, async () => {
        found = await find(q, more);
        return found.complete && ids(found).join() === [...want].sort().join();
    }).catch((e) => {
        throw new Error(`${e.message}: ${JSON.stringify(found)}`);
    });
    return found;
}

async function say(message, session_id = newSession()) {
    await ask(parley, { message, session_id });
    return session_id;
}

/* No file of the index has the text, not even in its gaps. */
function bytesOfIndex() {
    const folder = path.join(parley.dataDir, 'search');
    return Buffer.concat(fs.readdirSync(folder)
        .map((f) => fs.readFileSync(path.join(folder, f))));
}

const remove = (id) => call(parley, `/sessions/${id}`, { method: 'DELETE' });

describe('what people type', () => {
    let apples;
    let pears;

    before(async () => {
        apples = await say('Where do crimson apples grow in Finland?');
        pears = await say('Crimson pears, and apples of yellow colour.');
        await finds('crimson', [apples, pears]);
    });

    test('a message is found with its place, and the words are marked',
        async () => {
            const { sessions: [s] } = await finds('finland', [apples]);
            const { body } = await call(parley,
                `/sessions/${apples}/messages`);
            const hit = s.matches.find((m) => m.role === 'user');
            const said = body.messages[0];
            assert.equal(hit.message_id, said.id);
            assert.equal(hit.timestamp, said.timestamp);
            assert.ok(hit.marks.length > 0);
            for (const m of s.matches)
                for (const [at, len] of m.marks)
                    assert.equal([...m.snippet].slice(at, at + len).join('')
                        .toLowerCase(), 'finland');
            assert.equal(s.conversation_length, 2);
        });

    test('all words, phrases, beginnings, and words that must not be there',
        async () => {
            await finds('crimson grow', [apples]);
            await finds('"crimson apples"', [apples]);
            await finds('"apples crimson"', []);
            await finds('crimson -pears', [apples]);
            await finds('yell*', [pears]);
            await finds('CRIMSON', [apples, pears]);
            await finds('nothingofthekind', []);
        });

    test('nothing is a syntax error', async () => {
        for (const q of ['"', '-', '*', 'AND OR NOT', 'a:b (c', '"-*',
            'NEAR(crimson', "'; DROP TABLE doc; --"])
            assert.ok(Array.isArray((await find(q)).sessions), q);
    });

    test('accents, other scripts, emoji', async () => {
        const cafe = await say('Ein Café in Zürich');
        const tea = await say('東京でお茶を飲みました');
        const fox = await say('the 🦊 ran away');
        await finds('cafe zurich', [cafe]);
        await finds('お茶', [tea]);
        const { sessions: [s] } = await finds('🦊', [fox]);
        const [hit] = s.matches;
        const [at, len] = hit.marks[0];
        assert.equal([...hit.snippet].slice(at, at + len).join(''), '🦊');
    });

    test('pages show each session once', async () => {
        const all = [];
        for (let i = 0; i < 7; i++)
            all.push(await say(`page turning number ${i} zebrafish`));
        await finds('zebrafish', all);
        const seen = [];
        let cursor = '';
        do {
            const page = await find('zebrafish',
                `&limit=3${cursor && `&cursor=${cursor}`}`);
            assert.ok(page.sessions.length <= 3);
            seen.push(...ids(page));
            cursor = page.next_cursor;
        } while (cursor);
        assert.deepEqual(seen.sort(), all.sort());
    });

    test('tag and archived narrow it', async () => {
        const id = await say('quagga herds');
        await finds('quagga', [id]);
        const r = await call(parley, `/sessions/${id}`, {
            method: 'PATCH',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ archived: true, tags: ['beasts'] }),
        });
        assert.equal(r.status, 200, r.text);
        await finds('quagga', []);
        await finds('quagga', [id], '&archived=true&tag=beasts');
        await finds('quagga', [], '&archived=true&tag=plants');
    });

    test('a cursor of nobody: 400', async () => {
        const odd = await call(parley, '/sessions?q=a&cursor=nobody');
        assert.equal(odd.status, 400, odd.text);
        assert.equal(odd.body.code, 'invalid_cursor');
    });
});

describe('what is taken away', () => {
    test('a deleted session is not found, and its text is in no file',
        async () => {
            const id = await say('unobtainium deposits');
            const other = await say('copper deposits');
            await finds('deposits', [id, other]);
            assert.equal((await remove(id)).status, 200);
            assert.deepEqual(ids(await find('deposits')), [other]);
            await until('the text to be wiped',
                () => !bytesOfIndex().includes('unobtainium'));
            assert.ok(bytesOfIndex().includes('copper'));
        });

    test('a cleared session is not found by what it said, and by what is said ' +
        'in it since', async () => {
        const id = await say('vanadium plates');
        await finds('vanadium', [id]);
        await say('/clear', id);
        assert.deepEqual(ids(await find('vanadium')), []);
        await say('tungsten plates', id);
        await finds('tungsten', [id]);
        await finds('vanadium', []);
        await until('the text to be wiped',
            () => !bytesOfIndex().includes('vanadium'));
    });

    test('many deleted at once are forgotten together', async () => {
        const all = [];
        for (let i = 0; i < 20; i++)
            all.push(await say(`osmium number ${i}`));
        await finds('osmium', all);
        const gone = await Promise.all(all.map(remove));
        assert.ok(gone.every((r) => r.status === 200));
        assert.deepEqual(ids(await find('osmium')), []);
        await until('the text to be wiped',
            () => !bytesOfIndex().includes('osmium'));
    });
});

describe('the index is never the truth', () => {
    const folder = () => path.join(parley.dataDir, 'search');
    const file = () => path.join(folder(), 'messages.db');

    test('it is there after a restart', async () => {
        const id = await say('persimmon harvest');
        await finds('persimmon', [id]);
        await parley.stopWeb();
        await parley.start();
        await finds('persimmon', [id]);
    });

    test('deleted while nothing runs, it is made anew', async () => {
        const id = await say('lychee harvest');
        await parley.stopWeb();
        fs.rmSync(folder(), { recursive: true });
        await parley.start();
        await finds('lychee', [id]);
    });

    test('damaged while nothing runs, it is made anew', async () => {
        const id = await say('rambutan harvest');
        await finds('rambutan', [id]);
        await parley.stopWeb();
        const size = fs.statSync(file()).size;
        fs.writeFileSync(file(), Buffer.alloc(size, 0x5a));
        await parley.start();
        await finds('rambutan', [id]);
    });

    test('damaged while it serves: turns go on, and it is made anew',
        async () => {
            const id = await say('durian harvest');
            await finds('durian', [id]);
            const fd = fs.openSync(file(), 'r+');
            const size = fs.fstatSync(fd).size;
            fs.writeSync(fd, Buffer.alloc(size, 0x5a), 0, size, 0);
            fs.closeSync(fd);
            const later = await say('durian sorbet');
            await until('both to be found', async () => {
                const r = await call(parley, '/sessions?q=durian');
                return r.status === 200 && r.body.complete &&
                    ids(r.body).length === 2;
            });
            await finds('durian', [id, later]);
        });

    test('what a killed process left undone is made up for', async () => {
        const gone = await say('selenium lamps');
        await finds('selenium', [gone]);
        const kept = await say('tellurium lamps');
        assert.equal((await remove(gone)).status, 200);
        await parley.kill9();
        await until('the next process', () => parley.answers());
        await finds('tellurium', [kept]);
        await finds('selenium', []);
        await until('the text to be wiped',
            () => !bytesOfIndex().includes('selenium'));
    });

    test('a file that cannot be made is no matter of turns', async () => {
        await parley.stopWeb();
        fs.rmSync(folder(), { recursive: true });
        fs.writeFileSync(folder(), 'not a folder');
        await parley.start();
        const id = await say('mangosteen harvest');
        const r = await call(parley, '/sessions?q=mangosteen');
        assert.equal(r.status, 503, r.text);
        assert.equal(r.body.code, 'search_failed');
        fs.rmSync(folder());
        await finds('mangosteen', [id]);
    });
});

describe('who may look', () => {
    test('who sees no list finds nothing', async () => {
        const other = await startParley({ env: { LIST_ANONYMOUS: 'none' } });
        try {
            await ask(other, { message: 'kumquat' });
            const r = await call(other, '/sessions?q=kumquat');
            assert.equal(r.status, 200, r.text);
            assert.deepEqual(r.body.sessions, []);
        } finally {
            await other.stop();
        }
    });

    test('a server without a session has no index', async () => {
        const other = await startParley();
        try {
            const r = await call(other, '/sessions');
            assert.equal(r.status, 200, r.text);
            await other.stopWeb();
            assert.ok(!fs.existsSync(path.join(other.dataDir, 'search')));
        } finally {
            await other.stop();
        }
    });

    test('two servers on one data folder feed and clear one index',
        async () => {
            /* Spelt in two ways, so that each finds its own processes. */
            const shared = path.join(parley.folder, 'shared');
            const first = await startParley({ dataDir: shared });
            const second = await startParley({ dataDir: `${shared}/.` });
            try {
                const a = await ask(first, { message: 'gadolinium ore' });
                const b = await ask(second, { message: 'gadolinium salt' });
                const wanted = [a.session_id, b.session_id].sort().join();
                for (const server of [first, second])
                    await until('both to be found', async () => {
                        const r = await call(server,
                            '/sessions?q=gadolinium');
                        return ids(r.body).join() === wanted;
                    });
                const r = await call(second, `/sessions/${a.session_id}`,
                    { method: 'DELETE' });
                assert.equal(r.status, 200, r.text);
                for (const server of [first, second])
                    assert.deepEqual(ids((await call(server,
                        '/sessions?q=gadolinium')).body), [b.session_id]);
            } finally {
                await first.stop();
                await second.stop();
            }
        });

    test('one process for each request finds what the ones before said',
        async () => {
            const data = fs.mkdtempSync(path.join(parley.folder, 'one-'));
            const asked = await one(data, 'POST', '/chat', 'message=satsuma');
            assert.match(asked, /^Status: 200 /m);
            const found = await one(data, 'GET', '/sessions', '', 'q=satsuma');
            assert.match(found, /"snippet":"satsuma"/, found);
        });
});

async function one(data, method, target, body, query = '') {
    const { out } = await answerOne(data, method, target, body,
        { QUERY_STRING: query, REMOTE_ADDR: '127.0.0.1',
            AI_PROVIDER: 'offline', LIST_ANONYMOUS: 'all' });
    return out;
}

test('a query is never a message', async () => {
    const r = await postJson(parley, '/sessions?q=zebrafish', {});
    assert.equal(r.status, 201, r.text);
});
