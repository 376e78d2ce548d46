/* bin/parley beside a server, for keys. */

import { execFile } from 'node:child_process';
import { PARLEY } from './programs.js';


/* {status, out, err} of `parley keys …` on a server's data. */
export function keys(parley, ...args) {
    return new Promise((resolve) => {
        execFile(PARLEY, ['keys', ...args], {
            env: {
                PATH: process.env.PATH, ...parley.settings,
                DATA_DIR: parley.dataDir,
            },
            timeout: 60000,
        }, (error, out, err) => resolve(
            { status: error === null ? 0 : error.code, out, err }));
    });
}

/* A new key's {id, secret}; an error if it was not made. */
export async function makeKey(parley, ...args) {
    const made = await keys(parley, 'make', ...args);
    if (made.status !== 0)
        throw new Error(`parley keys make ${args.join(' ')}: ${made.err}`);
    return { secret: made.out.trim(), id: /^key (\S+)/.exec(made.err)[1] };
}
