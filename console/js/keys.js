// Single keys that work a queue: listed where they work, and off for whom they would surprise.
import { h } from './dom.js';

const OFF = 'shopple-keys-off';

function stored() {
  try {
    return localStorage.getItem(OFF) === null;
  } catch {
    return true;
  }
}

function store(on) {
  try {
    if (on) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, '1');
  } catch {
    // Without storage the choice lasts as long as the screen.
  }
}

// `act` answers what a key press means here, or nothing.
export function shortcuts(list, act, signal) {
  let on = stored();
  document.addEventListener('keydown', (event) => {
    if (!on || event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input:not([type=checkbox], [type=radio], [type=range]), select, textarea, dialog')) return;
    const doing = act(event);
    if (!doing) return;
    event.preventDefault();
    doing();
  }, { signal });
  const toggle = h('input', { type: 'checkbox', checked: on, onchange: () => { on = toggle.checked; store(on); } });
  return h('div', { class: 'keys' }, h('label', { class: 'check fine' }, toggle, ' Keys'), list.map(([key, what]) => h('span', {}, h('kbd', {}, key), ` ${what}`)));
}
