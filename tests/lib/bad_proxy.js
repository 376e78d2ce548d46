/* A proxy that stands before a server and does what bad proxies do.
 *
 * It works on bytes: what comes is passed on as it is, but for the request's
 * Connection header, so that a connection carries one exchange and its end is
 * the end of the reply. What is bad about it are fields that a test may change
 * while it runs; they count for connections made later:
 *   holds      bytes of a reply that are gathered before any is passed on;
 *              the end of the reply sends the rest
 *   cutMs      how long a connection may last; it is then closed, or reset if
 *              `reset`; 0: for ever
 *   upgrades   'pass'; 'strip': the header is taken out; 'refuse': closed at
 *              once; 'silent': no answer; 'deaf': the handshake passes and
 *              nothing of the server's behind it
 * drop() closes what is open of a kind now, mute() leaves it open and passes
 * nothing on any more.
 *
 *     const proxy = await startBadProxy(parley, { holds: 65536 });
 *     … proxy.url …
 *     await proxy.stop();
 */

import net from 'node:net';

const HEAD_END = Buffer.from('\r\n\r\n');

/* The head of a request with another Connection header; upgrade: the one for
 * Upgrade stays. */
function rewritten(head, keepsUpgrade) {
    const lines = head.split('\r\n').filter((line) => keepsUpgrade ||
        !/^(connection|upgrade|keep-alive):/i.test(line));
    if (!keepsUpgrade)
        lines.splice(1, 0, 'Connection: close');
    return lines.join('\r\n');
}

class Exchange {
    constructor(proxy, client) {
        this.proxy = proxy;
        this.client = client;
        this.server = null;
        this.request = '';
        this.upgrade = false;
        this.muted = false;
        this.pending = [];      /* of the reply */
        this.early = [];        /* of the request */
        client.on('data', (bytes) => this.fromClient(bytes));
        client.on('error', () => {});
        client.on('close', () => this.end());
    }

    fromClient(bytes) {
        if (this.server) {
            if (!this.muted)
                this.server.write(bytes);
            this.proxy.onClient?.(this, bytes);
            return;
        }
        this.early.push(bytes);
        const all = Buffer.concat(this.early);
        const end = all.indexOf(HEAD_END);
        if (end < 0)
            return;
        const head = all.toString('latin1', 0, end);
        this.request = head.slice(0, head.indexOf('\r\n'));
        this.upgrade = /^upgrade:/im.test(head);
        this.proxy.requests.push(this.request);
        if (this.upgrade && !this.upgrades())
            return;
        this.connect(Buffer.concat([
            Buffer.from(rewritten(head, this.upgrade), 'latin1'),
            all.subarray(end)]));
    }

    /* False if this handshake goes nowhere. */
    upgrades() {
        switch (this.proxy.upgrades) {
        case 'strip': this.upgrade = false; return true;
        case 'refuse': this.end(); return false;
        case 'silent': this.server = this.client; this.muted = true;
            return false;
        default: return true;
        }
    }

    connect(bytes) {
        const { proxy } = this;
        this.server = net.connect(proxy.target, '127.0.0.1');
        this.server.on('error', () => {});
        this.server.write(bytes);
        this.server.on('data', (d) => this.fromServer(d));
        this.server.on('close', () => {
            if (this.muted)
                return;
            this.flush();
            this.client.end();
        });
        if (proxy.cutMs > 0)
            this.timer = setTimeout(() => {
                proxy.cuts++;
                this.end(proxy.reset);
            }, proxy.cutMs);
    }

    fromServer(bytes) {
        if (this.muted)
            return;
        if (this.upgrade && this.proxy.upgrades === 'deaf') {
            const end = bytes.indexOf(HEAD_END); /* it came in one piece */
            this.client.write(bytes.subarray(0, end + HEAD_END.length));
            this.muted = true;
            return;
        }
        this.pending.push(bytes);
        const held = this.pending.reduce((n, b) => n + b.length, 0);
        if (held >= this.proxy.holds)
            this.flush();
    }

    flush() {
        if (this.pending.length > 0 && !this.client.destroyed)
            this.client.write(Buffer.concat(this.pending));
        this.pending = [];
    }

    end(reset = false) {
        clearTimeout(this.timer);
        if (reset)
            this.client.resetAndDestroy();
        else
            this.client.destroy();
        this.server?.destroy();
    }
}

export async function startBadProxy(parley, options = {}) {
    const open = new Set();
    const proxy = {
        target: parley.port, holds: 0, cutMs: 0, reset: false,
        upgrades: 'pass', onClient: null, ...options,
        requests: [],           /* the first lines */
        cuts: 0,
    };
    const server = net.createServer((client) => {
        const exchange = new Exchange(proxy, client);
        open.add(exchange);
        client.on('close', () => open.delete(exchange));
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    proxy.port = server.address().port;
    proxy.url = `http://127.0.0.1:${proxy.port}${parley.basePath}`;
    const those = (pattern) =>
        [...open].filter((e) => pattern.test(e.request));
    proxy.open = (pattern) => those(pattern).length;
    proxy.asked = (pattern) =>
        proxy.requests.filter((r) => pattern.test(r)).length;
    proxy.drop = (pattern) => those(pattern).forEach((e) => e.end());
    proxy.mute = (pattern) => those(pattern).forEach((e) => {
        e.muted = true;
    });
    proxy.stop = async () => {
        for (const exchange of open)
            exchange.end();
        await new Promise((resolve) => server.close(resolve));
    };
    return proxy;
}
