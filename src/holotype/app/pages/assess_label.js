// The desk where drawn records are labelled. Which record is present, and what was typed for it, is known here,
// in the page: on a slow link no letter goes to another record. A label goes to the server with its number.
(() => {
  if (window.holotypeLabels) return;
  let records = [];
  let pictures = '';
  let large = 0;
  let at = 0;
  let isEdited = false;
  let steps = 0;
  let found = {typed: '', names: [], chosen: 0};
  let sent = 0;
  const place = id => document.getElementById(id);
  const field = () => place('label-field');
  const here = () => records[at];
  const plain = text => text.split(/\s+/).filter(Boolean).join(' ');

  function picture(one) {
    const shown = place('label-shown');
    let drawn = document.createElement('code');
    if (one.picture) {
      drawn = document.createElement('img');
      drawn.alt = `Record ${one.number}, to be named`;
      drawn.src = address(one);
    } else drawn.textContent = one.input;
    shown.replaceChildren(drawn);
    for (const next of records.slice(at + 1, at + 3)) if (next.picture) new Image().src = address(next);
  }
  const address = one => `${pictures}/${one.number}?large=${large}`;

  // Shows the present record as it stands; what was typed and not written is gone.
  function show() {
    const one = here();
    place('label-name').textContent = `Record ${one.number} of ${records.length}: ${one.name}`;
    picture(one);
    stand(one);
  }
  function stand(one) {
    isEdited = false;
    steps = 0;
    field().dataset.number = one.number;
    field().value = one.label;
    tell(one.by && one.label ? `Written by ${one.by}.` : '');
    list();
  }
  function tell(words) { place('label-told').textContent = words; }

  // Names. The list is of the letters that stand there, else it is not chosen from.
  function edited() {
    isEdited = true;
    steps = 0;
    const typed = field().value;
    if (plain(typed)) emitEvent('label-typed', {typed});
    list();
  }
  function suggest(typed, names, chosen) {
    found = {typed, names, chosen};
    list();
  }
  function list() {
    const isShown = isEdited && plain(field().value) && found.typed === field().value;
    const names = isShown ? found.names : [];
    const chosen = names.length ? (((found.chosen + steps) % names.length) + names.length) % names.length : -1;
    place('suggested').replaceChildren(...names.map(([name, isNew], number) => {
      const row = document.createElement('li');
      row.id = `name-${number}`;
      row.setAttribute('role', 'option');
      row.setAttribute('aria-selected', number === chosen ? 'true' : 'false');
      row.textContent = isNew ? `“${name}”, as written` : name;
      row.addEventListener('mousedown', event => event.preventDefault());
      row.addEventListener('click', () => put(name));
      return row;
    }));
    field().setAttribute('aria-expanded', names.length ? 'true' : 'false');
    if (chosen < 0) field().removeAttribute('aria-activedescendant');
    else field().setAttribute('aria-activedescendant', `name-${chosen}`);
  }
  function choose(by) {
    if (!isEdited || !plain(field().value)) return;
    steps += by;
    list();
  }

  // Writes a name, or what was typed for the present record, and goes on at once. What was not touched is not
  // written; a label is taken back only where somebody emptied the field.
  function put(name) {
    const one = here();
    const typed = field().value;
    const isGiven = typeof name === 'string';
    if (isGiven || (isEdited && (plain(typed) !== one.label || steps))) {
      one.sent = ++sent;
      emitEvent('label-written', {id: sent, number: one.number, typed, steps, name: isGiven ? name : null, shown: one.label});
      one.label = isGiven ? name : plain(typed);
      one.by = '';
    }
    go(1);
  }
  function go(by) {
    at = Math.max(0, Math.min(records.length - 1, at + by));
    show();
    field().focus({preventScroll: true});
  }
  function open() {
    const first = records.findIndex(one => !one.label);
    go((first < 0 ? records.length - 1 : first) - at);
  }

  // What the server says: a label is on disk, or was refused; others wrote something.
  function wrote(id, number, label) { change(number, label, '', id); }
  function refused(id, number, label) {
    change(number, label, '', id);
    if (isEdited) return;
    at = records.findIndex(one => one.number === number);
    show();
  }
  function others(told) { for (const [number, label, by] of told) change(number, label, by, null); }
  function change(number, label, by, id) {
    const one = records.find(each => each.number === number);
    if (!one || (one.sent || null) !== id) return;
    one.sent = null;
    one.label = label;
    one.by = by;
    if (one !== here()) return;
    if (!isEdited) stand(one);
    else if (by) tell(`${by} wrote “${label}” here meanwhile. Enter writes over it.`);
  }

  function pressed(event) {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const acts = {
      Enter: () => { if (!event.repeat) put(); },
      ArrowDown: () => choose(1), ArrowUp: () => choose(-1), PageUp: () => go(-1), PageDown: () => go(1),
    };
    if (!acts[event.key]) return;
    event.preventDefault();
    acts[event.key]();
  }
  function start(told) {
    if (!field()) { setTimeout(() => start(told), 30); return; }
    records = told.records;
    pictures = told.pictures;
    at = told.at;
    field().addEventListener('keydown', pressed);
    field().addEventListener('input', edited);
    show();
    field().focus({preventScroll: true});
  }
  function enlarged() {
    large += 1;
    if (records.length) picture(here());
  }
  window.holotypeLabels = {start, put, go, open, suggest, wrote, refused, others, enlarged};
})();
