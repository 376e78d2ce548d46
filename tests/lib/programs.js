/* The programs under test. PARLEY_TEST_BIN names another folder of them than
 * cgi-bin/, one built with a sanitizer for example; bin/parley's is beside. */

import path from 'node:path';

export const ROOT = path.resolve(import.meta.dirname, '../..');
const folder = process.env.PARLEY_TEST_BIN;

export const BIN = folder ?? path.join(ROOT, 'cgi-bin');
export const CHAT = path.join(BIN, 'chat');
export const PARLEY = folder === undefined ? path.join(ROOT, 'bin/parley')
    : path.join(folder, '../cli/parley');
/* Sanitizers keep freed memory: sizes say nothing about such a build. */
export const SANITIZED = /address|thread/.test(BIN);
