/* Who we are: as headers of requests, as part of a WebSocket's address, as a
 * frame on it. Kept in memory only. */

/* Base64 of UTF-8, as RFC 7617 wants it. */
function base64(text) {
    return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

export class Login {
    #token;
    #apiKey;
    #apiKeyHeader;
    #username;
    #password;

    constructor({ token, api_key, api_key_header, username, password }) {
        this.#token = token;
        this.#apiKey = api_key;
        this.#apiKeyHeader = api_key_header ?? 'X-API-Key';
        this.#username = username;
        this.#password = password;
    }

    /* The bearer's token; asked for each time if it is a function, so that it
     * can be renewed. undefined: there is none. */
    async token() {
        return typeof this.#token === 'function' ? this.#token() : this.#token;
    }

    async headers() {
        const token = await this.token();
        if (token)
            return { Authorization: `Bearer ${token}` };
        if (this.#apiKey)
            return { [this.#apiKeyHeader]: this.#apiKey };
        if (this.#username !== undefined)
            return { Authorization: 'Basic ' +
                base64(`${this.#username}:${this.#password ?? ''}`) };
        return {};
    }

    /* What a WebSocket is told; null: nothing. A token is in its address. */
    frame() {
        if (this.#token)
            return null;
        if (this.#apiKey)
            return { type: 'auth', auth_type: 'api_key',
                api_key: this.#apiKey, api_key_header: this.#apiKeyHeader };
        if (this.#username !== undefined)
            return { type: 'auth', auth_type: 'basic_auth',
                username: this.#username, password: this.#password ?? '' };
        return null;
    }

    forget() {
        this.#token = undefined;
        this.#apiKey = undefined;
        this.#username = undefined;
        this.#password = undefined;
    }
}
