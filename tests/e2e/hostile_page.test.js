/* A model that wants out: answers full of hostile Markdown and HTML, in a real
 * browser. A second server listens on this machine; whoever calls it, for
 * whatever reason, is counted. Nothing may run, nothing may be asked of others,
 * nothing may be asked of our own server in the user's name, and the page goes
 * on working. */

import assert from 'node:assert/strict';
import net from 'node:net';
import { after, afterEach, before, beforeEach, describe, test }
    from 'node:test';
import { startBrowser } from '../lib/browser.js';
import { replyEvents, replyWire } from '../lib/openai_bytes.js';
import { paced, startReplay, whole } from '../lib/replay.js';
import { startParley } from '../lib/server.js';
import { until } from '../lib/wait.js';

/* EVIL is the other server, HIT a script that leaves a mark. */
const PIECES = [
    '![pixel](EVIL/md.png) ![p][ref] [![in link](EVIL/in.png)](EVIL/x)',
    '[ref]: EVIL/ref.png "t"',
    '![a](//EVILHOST/proto.png) ![b](\\\\EVILHOST\\unc.png)',
    '![c](data:image/svg+xml,%3Csvg%20onload=HIT%3E) ' +
        '![d](data:text/html,<script>HIT</script>)',
    '![e](javascript:HIT) ![f](vbscript:HIT)',
    '[g](javascript:HIT) [h](JaVaScRiPt:HIT) [i](&#106;avascript:HIT) ' +
        '[j](java\tscript:HIT) [k](data:text/html,<script>HIT</script>) ' +
        '[l](\u0001javascript:HIT) <javascript:HIT>',
    '[m](javascript&colon;HIT) [n](javascript\\:HIT) [o]( javascript:HIT )',
    '[q](chat/stream?message=forged) ![r](chat/stream?message=forged)',
    '[s]("onmouseover=HIT") [t](x "\\" onmouseover=\\"HIT")',
    '![" onerror="HIT](x) ![x" onerror=HIT y](EVIL/alt.png)',
    '<img src=EVIL/img.png><img src=x onerror=HIT><img srcset="EVIL/set 2x">',
    '<image href=EVIL/image.png><input type=image src=EVIL/input.png>',
    '<script>HIT</script><script src=EVIL/s.js></script>' +
        '<script type=module>import "EVIL/m.js"</script>',
    '<svg onload=HIT><script>HIT</script><image href=EVIL/svg.png />' +
        '<use href="EVIL/u.svg#x"/><animate attributeName=href ' +
        'values="javascript:HIT"/><foreignObject><iframe src=EVIL/fo>' +
        '</iframe></foreignObject></svg>',
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;' +
        '&lt;img src=1 onerror=HIT&gt;"></table></mtext></math>',
    '<iframe src=EVIL/frame></iframe><iframe srcdoc="<script>parent.HIT' +
        '</script><img src=EVIL/srcdoc>"></iframe>',
    '<object data=EVIL/object></object><embed src=EVIL/embed>' +
        '<applet code=EVIL/applet></applet>',
    '<video src=EVIL/v.mp4 poster=EVIL/poster.png autoplay></video>' +
        '<audio src=EVIL/a.mp3 autoplay></audio>' +
        '<video><source onerror=HIT src=x><track src=EVIL/t.vtt></video>',
    '<link rel=stylesheet href=EVIL/l.css><link rel=preconnect href=EVIL>' +
        '<link rel=dns-prefetch href=EVIL><link rel=prefetch href=EVIL/pf>' +
        '<link rel=icon href=EVIL/icon><link rel=import href=EVIL/i>',
    '<style>@import "EVIL/i.css"; body { background: url(EVIL/bg.png) } ' +
        '@font-face { font-family: x; src: url(EVIL/f.woff) } ' +
        '* { font-family: x }</style>',
    '<p style="background:url(EVIL/style.png)">styled</p>' +
        '<b style="position:fixed;inset:0;z-index:9999">over all</b>',
    '<meta http-equiv=refresh content="0;url=EVIL/refresh">' +
        '<meta http-equiv=Content-Security-Policy content="img-src *">',
    '<base href=EVIL/base/><form action=EVIL/form id=f><input name=q autofocus ' +
        'onfocus=HIT><button formaction=javascript:HIT>go</button></form>',
    '<body onload=HIT background=EVIL/body.png><table background=EVIL/table>' +
        '<td background=EVIL/td></table>',
    '<details open ontoggle=HIT><summary onclick=HIT>s</summary>d</details>',
    '<a href="EVIL/ping" ping=EVIL/pinged target=_self>ping</a>',
    '<select autofocus onfocus=HIT><textarea autofocus onfocus=HIT></textarea>',
    '<marquee onstart=HIT>m</marquee><dialog open onclose=HIT>d</dialog>',
    '<div onmouseover=HIT onpointerenter=HIT tabindex=1 onfocus=HIT ' +
        'contenteditable>hover</div>',
    '<template><img src=EVIL/template onerror=HIT></template>' +
        '<noscript><p title="</noscript><img src=x onerror=HIT>"></noscript>',
    '<portal src=EVIL/portal></portal><frameset onload=HIT><frame src=EVIL>',
    '<img name=body><img id=input><form id=composer><input name=send></form>' +
        '<a id=main></a><a id=document name=querySelector></a>' +
        '<img name=getElementById><form name=cookie></form>',
    '```html\n<script>HIT</script><img src=EVIL/code.png>\n```',
    '```js"onmouseover=HIT x="\nHIT\n```',
    '~~~<img src=x onerror=HIT>\ncode\n~~~',
    '```mermaid\ngraph TD; A["<img src=EVIL/mermaid onerror=HIT>"]; ' +
        'click A "javascript:HIT"\n```',
    '$$\\href{javascript:HIT}{x} \\includegraphics{EVIL/katex.png} ' +
        '\\htmlStyle{background:url(EVIL/ks)}{y} \\url{javascript:HIT}$$ ' +
        '\\(\\href{javascript:HIT}{z}\\)',
    '| a | b |\n|---|---|\n| ![t](EVIL/cell.png) | <img src=EVIL/cell2> |',
    '- [ ] <img src=x onerror=HIT>\n- [x] [u](javascript:HIT)',
    '# <img src=EVIL/heading onerror=HIT>\n\n> <svg/onload=HIT>',
    '&lt;img src=x onerror=HIT&gt; &#60;script&#62;HIT&#60;/script&#62;',
    '<!-- --!><img src=x onerror=HIT> --> <![CDATA[<img src=x onerror=HIT>]]>',
    '<b <img src=x onerror=HIT>> <img/src=x/onerror=HIT> <img src=x\nonerror=' +
        '\nHIT>',
    '<x onclick=HIT id=x tabindex=1 style=display:block>x</x>' +
        '<custom-element is=x onconnected=HIT></custom-element>',
    '[^1]\n\n[^1]: ![foot](EVIL/foot.png) <img src=x onerror=HIT>',
    '<EVIL/auto.png> www.evil.invalid EVIL/bare.png mailto:x@evil.invalid',
];

const DEEP = [
    '>'.repeat(3000) + ' deep',
    Array.from({ length: 80 }, (_, i) => `${'  '.repeat(i)}- x`).join('\n'),
    `${'['.repeat(4000)}x${'](y)'.repeat(4000)}`,
    `${'**'.repeat(3000)}x`, `${'<b>'.repeat(3000)}x`, '`'.repeat(5000),
    `${'![a]('.repeat(2000)}EVIL/deep.png${')'.repeat(2000)}`,
    `|${'a|'.repeat(500)}\n|${'-|'.repeat(500)}\n|${'b|'.repeat(500)}`,
].join('\n\n');

let evil; /* {server, calls} */
let replay;
let parley;
let browser;
let tab;
let asked;
let dialogs;

function listen() {
    const calls = [];
    const server = net.createServer((socket) => {
        calls.push('a connection');
        socket.on('data', (d) => calls.push(d.toString('latin1').split('\r')[0]));
        socket.on('error', () => {});
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n' +
            'Connection: close\r\n\r\n');
    });
    return new Promise((resolve) => server.listen(0, '127.0.0.1', () =>
        resolve({ server, calls })));
}

function armed(text) {
    const host = `127.0.0.1:${evil.server.address().port}`;
    return text.replaceAll('EVILHOST', host).replaceAll('EVIL', `http://${host}`)
        .replaceAll('parent.HIT', 'parent.hit=1').replaceAll('HIT', 'top.hit=1');
}

before(async () => {
    evil = await listen();
    const text = armed(PIECES.join('\n\n'));
    replay = await startReplay(whole(replyWire(['a plain answer, whole'])));
    replay.on('allatonce', whole(replyWire([text, '\n\nthe very end'])));
    /* Cut anywhere, as it comes: half a tag is drawn, too. */
    replay.on('inpieces', paced(replyEvents(
        [...text.match(/[^]{1,97}/g), '\n\nthe very end']), 2));
    replay.on('nested', whole(replyWire([armed(DEEP), '\n\nthe very end'])));
    parley = await startParley({
        env: { ...replay.env(), LIST_ANONYMOUS: 'none' } });
    browser = await startBrowser();
});
after(async () => {
    await browser?.stop();
    await parley?.stop();
    await replay?.stop();
    evil?.server.close();
});

/* Everything that a user's pointer and keyboard may set off by passing. */
async function passOver(page) {
    await page.evaluate(() => {
        for (const e of document.querySelectorAll('.message *')) {
            for (const type of ['mouseover', 'pointerenter', 'mouseenter'])
                e.dispatchEvent(new MouseEvent(type, { bubbles: true }));
            e.focus?.();
            if (e.localName === 'summary')
                e.click();
        }
    });
}

async function assertHarmless() {
    await passOver(tab.page);
    /* Whatever would be loaded is asked for by now: two frames and a task. */
    await tab.page.evaluate(() => new Promise((resolve) =>
        requestAnimationFrame(() => requestAnimationFrame(() =>
            setTimeout(resolve, 100)))));
    assert.equal(await tab.page.evaluate(() => window.hit), undefined,
        'a script has run');
    assert.deepEqual(dialogs, []);
    assert.deepEqual(evil.calls, []);
    const own = new URL(parley.url).origin;
    assert.deepEqual(asked.filter((url) =>
        !url.startsWith(`${own}/`) && !/^(?:data|blob):/.test(url)), []);
    assert.deepEqual(asked.filter((url) => url.includes('forged')), []);
    assert.equal(await tab.page.locator('.message :is(script, style, iframe, ' +
        'object, embed, svg:not([aria-hidden]), math, video, audio, link, ' +
        'meta, base, form, template, portal, dialog)').count(), 0);
    const attributes = await tab.page.evaluate(() =>
        [...document.querySelectorAll('.message .prose *')].flatMap((e) =>
            [...e.attributes].filter((a) => a.name.startsWith('on') ||
                ['style', 'srcset', 'ping', 'formaction', 'id', 'name', 'is']
                    .includes(a.name) ||
                (['href', 'src', 'action', 'data'].includes(a.name) &&
                    !/^(?:https?:|mailto:|#|data:image\/png;)/i.test(
                        new URL(a.value, document.baseURI).href)))
                .map((a) => `${e.localName} ${a.name}=${a.value}`)));
    assert.deepEqual(attributes, []);
    assert.equal(await tab.page.evaluate(() => document.baseURI.startsWith(
        location.origin)), true);
    assert.deepEqual(tab.complaints, []);
}

describe('a hostile answer', () => {
    beforeEach(async () => {
        tab = await browser.open(parley);
        asked = [];
        dialogs = [];
        tab.page.context().on('request', (r) => asked.push(r.url()));
        tab.page.on('dialog', (d) => {
            dialogs.push(d.message());
            return d.dismiss();
        });
        tab.page.on('popup', (p) => dialogs.push(`popup ${p.url()}`));
    });
    afterEach(() => tab?.page.context().close());

    for (const [name, word] of [['at once', 'allatonce'],
        ['piece by piece', 'inpieces']]) {
        test(`that comes ${name} does nothing`, async () => {
            await tab.ask(word);
            await tab.says('the very end');
            await tab.answered();
            await assertHarmless();
            /* The page is not taken over: it goes on, and comes back. */
            await tab.ask('and now a plain one');
            await tab.says('a plain answer, whole');
            await tab.answered();
            await tab.page.reload();
            await tab.says('a plain answer, whole');
            await tab.page.getByText('the very end').first().waitFor();
            await assertHarmless();
        });
    }

    test('that is nested without end is shown', async () => {
        await tab.ask('nested');
        await tab.says('the very end');
        await tab.answered();
        await assertHarmless();
        await tab.ask('and now a plain one');
        await tab.says('a plain answer, whole');
    });

    test('is no better as a question or a name', async () => {
        const text = armed(PIECES.join('\n\n'));
        await tab.ask(text);
        await tab.says('a plain answer, whole');
        await tab.answered();
        await assertHarmless();
        await tab.page.focus('#sessions a.open');
        await tab.page.keyboard.press('F2');
        await tab.page.fill('dialog input', armed(
            '<img src=EVIL/name.png onerror=HIT>'));
        await tab.page.press('dialog input', 'Enter');
        await tab.page.waitForFunction(() =>
            document.title.includes('onerror'));
        await tab.page.fill('#find', 'plain');
        await tab.page.waitForSelector('#found:not([hidden])');
        assert.equal(await tab.page.locator('#side img[src*="name.png"]')
            .count(), 0);
        await assertHarmless();
    });
});

describe('the second server', () => {
    test('would have counted a call', async () => {
        const r = await fetch(armed('EVIL/proof'));
        await r.text();
        await until('the call to be counted', () =>
            evil.calls.some((c) => c.includes('/proof')));
    });
});
