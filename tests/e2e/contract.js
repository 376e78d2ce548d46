/* The contract, told as tests, for any door.
 *
 * The same suite runs behind FastCGI, behind lighttpd's mod_cgi and behind
 * Apache's mod_cgid: contract.<door>.test.js call this with a door's name. One
 * server and one scripted provider serve the whole suite; the default answers
 * come from the offline provider, and a test that needs a certain answer asks
 * for the scripted one with `provider: "openai"`. */

import { after, before, describe } from 'node:test';
import { startParley } from '../lib/server.js';
import { startReplay, whole } from '../lib/replay.js';
import { replyWire } from '../lib/openai_bytes.js';
import { turns } from './contract/turns.js';
import { streams } from './contract/streams.js';
import { control } from './contract/control.js';
import { history } from './contract/history.js';
import { context } from './contract/context.js';
import { edge } from './contract/edge.js';
import { input } from './contract/input.js';
import { mount } from './contract/mount.js';

export function contract(door) {
    describe(`the contract behind ${door}`, () => {
        /* Filled by before(); the groups read it inside their tests. */
        const world = { parley: null, replay: null };

        before(async () => {
            world.replay = await startReplay(
                whole(replyWire(['Replayed ', 'answer.'])));
            world.parley = await startParley({
                door,
                env: { ...world.replay.env(), AI_PROVIDER: 'offline' },
            });
        });
        after(async () => {
            await world.parley?.stop();
            await world.replay?.stop();
        });

        turns(world);
        streams(world);
        control(world);
        history(world);
        context(world);
        edge(world);
        input(world);
    });
    mount(door);
}
