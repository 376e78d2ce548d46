/* The frame: the side bar is a column on wide windows and a drawer on narrow
 * ones. An open drawer holds the focus; Esc, the backdrop or a choice close it.
 */

const NARROW = matchMedia('(max-width: 760px)');

export class Shell {
    #page;
    #side;
    #main;
    #button;
    #store;
    #drawer = false;

    constructor({ page, side, main, button, backdrop }, store) {
        this.#page = page;
        this.#side = side;
        this.#main = main;
        this.#button = button;
        this.#store = store;
        button.addEventListener('click', () => this.toggle());
        backdrop.addEventListener('click', () => this.close());
        NARROW.addEventListener('change', () => {
            this.#drawer = false;
            this.#apply();
        });
        this.#apply();
    }

    get drawerOpen() {
        return NARROW.matches && this.#drawer;
    }

    toggle() {
        if (NARROW.matches)
            this.#drawer = !this.#drawer;
        else
            this.#store.set('side', !this.#shown);
        this.#apply();
        if (this.drawerOpen)
            this.#side.querySelector('button, a')?.focus();
    }

    /* Closes the drawer; a column stays. */
    close() {
        if (!this.drawerOpen)
            return;
        this.#drawer = false;
        this.#apply();
        this.#button.focus();
    }

    get #shown() {
        return NARROW.matches ? this.#drawer
            : this.#store.get('side') !== false;
    }

    #apply() {
        const shown = this.#shown;
        this.#page.dataset.side = shown ? 'open' : 'closed';
        this.#side.inert = !shown;
        this.#main.inert = this.drawerOpen;
        this.#button.setAttribute('aria-expanded', String(shown));
    }
}
