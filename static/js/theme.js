/* Dark, light, or as the system says. early.js applies the choice before the
 * first paint; this is the button. */

import { setIcon } from './dom.js';

const NEXT = { system: 'light', light: 'dark', dark: 'system' };
const ICON = { system: 'system', light: 'sun', dark: 'moon' };

export function startTheme(button, store) {
    const current = () => {
        const theme = store.get('theme');
        return theme in NEXT ? theme : 'system';
    };
    const apply = () => {
        const theme = current();
        if (theme === 'system')
            delete document.documentElement.dataset.theme;
        else
            document.documentElement.dataset.theme = theme;
        const label = `Colours: ${theme}`;
        button.setAttribute('aria-label', label);
        button.title = label;
        setIcon(button, ICON[theme]);
    };
    button.addEventListener('click', () => {
        store.set('theme', NEXT[current()]);
        apply();
    });
    apply();
    return apply;
}
