// The keyboard, mouse and touch of a page of pictures. What is focused and picked is kept here, in the page;
// what is decided goes to the server as one event, with an id of its own so that it counts once.
(() => {
  if (window.holotypeReview) return;
  const link = window.holotypeLink;
  let anchor = null;
  let told = null;
  let asked = null;
  const grid = () => document.getElementById('review-grid');
  const cards = () => grid() ? [...grid().querySelectorAll('[role=option]')] : [];
  const picked = () => cards().filter(card => card.getAttribute('aria-selected') === 'true');
  const row = card => Number(card.dataset.row);
  const current = () => cards().find(card => card === document.activeElement)
    || cards().find(card => card.getAttribute('tabindex') === '0') || cards()[0];
  const id = () => [...crypto.getRandomValues(new Uint8Array(16))].map(b => b.toString(16).padStart(2, '0')).join('');

  // A dialog is open: a field of this page, or one that the server drew.
  const field = () => document.querySelector('dialog.review-ask[open]');
  const isAsking = () => field() || [...document.querySelectorAll('.q-dialog')].some(
    one => !one.querySelector('.q-dialog__inner[class*=leave-active]'));

  function count() {
    const number = picked().length;
    const place = document.getElementById('review-picked');
    if (place) place.textContent = number ? `${number} picked` : '';
    document.body.classList.toggle('review-picking', number > 0);
  }
  function pick(card, on) { card.setAttribute('aria-selected', on ? 'true' : 'false'); }
  function tell(card) {
    clearTimeout(told);
    told = setTimeout(() => { if (link.isUp()) emitEvent('review-look', {row: row(card)}); }, 120);
  }
  function focus(card) {
    if (!card) return;
    for (const one of cards()) one.setAttribute('tabindex', one === card ? '0' : '-1');
    card.focus({preventScroll: true});
    const box = card.getBoundingClientRect();
    const top = document.getElementById('review-bar')?.getBoundingClientRect().bottom || 0;
    const low = document.getElementById('review-do')?.getBoundingClientRect().top || innerHeight;
    const bottom = low > innerHeight / 2 ? Math.min(low, innerHeight) : innerHeight;
    if (box.top < top + 6) scrollBy(0, box.top - top - 8);
    else if (box.bottom > bottom - 6) scrollBy(0, box.bottom - bottom + 8);
    tell(card);
  }
  function extend(card) {
    const all = cards();
    const from = all.indexOf(anchor && anchor.isConnected ? anchor : card);
    const to = all.indexOf(card);
    all.forEach((one, at) => pick(one, at >= Math.min(from, to) && at <= Math.max(from, to)));
    count();
  }
  function across() {
    const all = cards();
    const top = all.length ? all[0].offsetTop : 0;
    return Math.max(1, all.filter(card => card.offsetTop === top).length);
  }
  function move(step, isExtending) {
    const all = cards();
    const from = current();
    const to = all[Math.max(0, Math.min(all.length - 1, all.indexOf(from) + step))];
    if (!to) return;
    if (isExtending) { if (!anchor || !anchor.isConnected) anchor = from; focus(to); extend(to); }
    else { anchor = to; focus(to); }
  }
  function about() {
    const here = current();
    return {id: id(), page: grid().dataset.page, picked: picked().map(row), focused: here ? row(here) : null};
  }
  function say(what, more) {
    if (link.keep(() => say(what, more))) return;
    if (FIELDS.includes(what)) { open(what); return; }
    if (!link.send({what, ...about(), ...more}, TURNING.includes(what))) return;
    if (DECIDING.includes(what)) none();
  }
  function none() { cards().forEach(card => pick(card, false)); anchor = null; count(); }

  // The fields stand ready in the page: no letter waits for the server. Its list of labels comes later: arrow
  // keys are counted until the list of exactly these letters is there, and Enter after them waits for it.
  const written = dialog => dialog.querySelector('input, textarea');
  const list = () => document.getElementById('review-found');
  const options = () => [...list().querySelectorAll('[role=option]')];
  const chosen = () => options().find(one => one.getAttribute('aria-selected') === 'true');
  let steps = [];
  let at = 0;
  let shown = '';
  let isTaking = false;
  function open(what) {
    if (isAsking()) return;
    asked = {what, ...about()};
    const number = asked.picked.length || (asked.focused === null ? 0 : 1);
    if (!number) return;
    const dialog = document.getElementById(`review-${what}`);
    const title = what === 'note' ? 'Note on' : 'Label of';
    dialog.querySelector('h2').textContent = `${title} ${number} record${number === 1 ? '' : 's'}`;
    link.tell('');
    written(dialog).value = '';
    dialog.showModal();
    written(dialog).focus();
    typed();
  }
  function typed() {
    if (asked.what !== 'relabel') return;
    steps = [];
    shown = '';
    listed();
    if (link.isUp()) emitEvent('review-typed', {...asked, typed: written(field()).value});
  }
  // The list is of the letters that stand there, and of this question.
  const isListed = () => list().dataset.asked === asked.id && list().dataset.typed === written(field()).value;
  function listed() {
    if (!asked || asked.what !== 'relabel' || !field()) return;
    list().hidden = list().dataset.asked !== asked.id;
    if (!isListed()) { highlight(-1); return; }
    const mark = `${asked.id} ${written(field()).value}`;
    if (shown !== mark) { shown = mark; at = 0; }
    const last = Math.max(0, options().length - 1);
    for (const step of steps) at = Math.max(0, Math.min(last, at + step));
    steps = [];
    highlight(at);
    if (isTaking) take(chosen()?.dataset.name || '');
  }
  function highlight(which) {
    const all = options();
    all.forEach((one, n) => one.setAttribute('aria-selected', n === which ? 'true' : 'false'));
    const one = all[which];
    one?.scrollIntoView({block: 'nearest'});
    const more = one?.dataset.new === 'true' ? ', a new label without a lineage' : '';
    takes(one ? `Enter takes “${one.dataset.name}”${more}. Arrow keys choose another one.` : '');
  }
  function takes(words) { document.getElementById('review-takes').textContent = words; }
  function take(name) {
    const letters = written(field()).value;
    if (!name && !letters.trim()) { release(); return; }
    if (!link.send({...asked, typed: letters, name}, false)) { isTaking = false; return; }
    close();
    none();
    release();
  }
  function enter() {
    if (asked.what === 'note') { take(''); return; }
    if (isListed()) { take(chosen()?.dataset.name || ''); return; }
    if (!steps.length && written(field()).value.trim()) { take(''); return; }  // the server means the same by it
    isTaking = true;
    takes('Waiting for the list of labels …');
    link.wait('list', 'The list of labels has not come: nothing was written.', () => { isTaking = false; takes(''); });
  }
  function release() {
    if (!isTaking) return;
    isTaking = false;
    link.settled('list');
  }
  function close() { field()?.close(); asked = null; }
  // Enter, an arrow key; a key that was kept also does here what the field itself does with others.
  function inField(event) {
    if (event.isComposing || !asked) return;
    const isNote = asked.what === 'note';
    if (event.key === 'Enter' && event.target === written(field()) && (!isNote || event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      enter();
    } else if (!isNote && ['ArrowDown', 'ArrowUp'].includes(event.key)) {
      event.preventDefault();
      steps.push(event.key === 'ArrowDown' ? 1 : -1);
      listed();
    } else if (event.isKept) edit(event);
  }
  function edit(event) {
    const place = written(field());
    if (event.key === 'Escape') { close(); return; }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Backspace') place.value = place.value.slice(0, -1);
    else if (event.key === 'Enter') place.value += '\n';
    else if (event.key.length === 1) place.value += event.key;
    else return;
    typed();
  }

  const FIELDS = ['relabel', 'note'];
  const DECIDING = ['confirm', 'unclassify', 'best'];
  const TURNING = ['next', 'previous', 'open', 'undo', 'confirm'];  // or may do so: the server says when it is done
  const KEYS = {
    Enter: 'confirm', c: 'confirm', r: 'relabel', x: 'unclassify', Delete: 'unclassify', u: 'undo',
    m: 'note', n: 'next', PageDown: 'next', p: 'previous', PageUp: 'previous', o: 'open', '?': 'keys',
  };
  const KEPT = [
    'Enter', 'Escape', 'Backspace', 'Delete', 'ArrowRight', 'ArrowLeft', 'ArrowDown', 'ArrowUp', 'Home', 'End',
    'PageDown', 'PageUp',
  ];
  function pressed(event) {
    if (isElsewhere(event)) return;
    if (link.isWaiting()) hold(event);
    else if (field()) inField(event);
    else onPage(event);
  }
  function isElsewhere(event) {
    const at = event.target;
    const isButton = [' ', 'Enter'].includes(event.key) && at.closest('button, a');
    if (field()) return isButton;
    if (!grid() || isAsking() || at.matches('input, textarea, select') || at.isContentEditable) return true;
    return at.closest('.q-menu, [role=listbox]:not(#review-grid), [role=combobox]') || isButton;
  }
  function hold(event) {
    if (event.key === 'Escape' && isTaking) return;  // the field closes
    const isCommand = event.ctrlKey || event.metaKey || event.altKey;
    if (isCommand ? !['z', 'Enter'].includes(event.key) : event.key.length > 1 && !KEPT.includes(event.key)) return;
    event.preventDefault();
    const {key, shiftKey, ctrlKey, metaKey, altKey, repeat} = event;
    link.keep(() => again({key, shiftKey, ctrlKey, metaKey, altKey, repeat, isKept: true, preventDefault() {}}));
  }
  function again(event) {
    if (field()) inField({...event, target: written(field())});
    else if (grid() && !isAsking()) onPage(event);
  }
  function onPage(event) {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if ((event.ctrlKey || event.metaKey) && key === 'z' && !event.shiftKey) {
      event.preventDefault(); say('undo'); return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = {ArrowRight: 1, ArrowLeft: -1, ArrowDown: across(), ArrowUp: -across(), Home: -1e6, End: 1e6}[key];
    if (step !== undefined) { event.preventDefault(); move(step, event.shiftKey); return; }
    if (key === ' ') {
      event.preventDefault();
      const card = current();
      if (!card) return;
      if (event.shiftKey) extend(card);
      else { anchor = card; pick(card, card.getAttribute('aria-selected') !== 'true'); count(); focus(card); }
      return;
    }
    if (key === 'a') { event.preventDefault(); cards().forEach(card => pick(card, true)); count(); return; }
    if (key === 'Escape') { none(); return; }
    if (/^[1-5]$/.test(key)) { event.preventDefault(); say('best', {number: Number(key)}); return; }
    const what = KEYS[key];
    if (!what || event.repeat) return;
    event.preventDefault();
    if (what === 'keys') emitEvent('review', {what});
    else say(what);
  }
  function clicked(event) {
    const option = event.target.closest && event.target.closest('#review-found [role=option]');
    if (option && asked) { take(option.dataset.name); return; }
    const card = event.target.closest && event.target.closest('#review-grid [role=option]');
    if (!card) return;
    if (event.shiftKey && anchor && anchor.isConnected) { focus(card); extend(card); return; }
    anchor = card;
    pick(card, card.getAttribute('aria-selected') !== 'true');
    count();
    focus(card);
  }
  document.addEventListener('keydown', pressed);
  document.addEventListener('click', clicked);
  document.addEventListener('input', event => { if (field()?.contains(event.target)) typed(); });
  document.addEventListener('close', () => {
    if (field()) return;  // of the next question already
    asked = null;
    if (isTaking) { isTaking = false; link.drop(''); }
  }, true);
  new MutationObserver(changes => {
    if (changes.some(one => (one.target.closest ? one.target : document.body).closest('#review-found'))) listed();
  }).observe(document.body, {subtree: true, childList: true, attributes: true, attributeFilter: ['data-typed', 'data-asked']});
  window.holotypeReview = {
    say,
    none,
    close,
    keep: () => take(''),
    // What stands in an open field.
    unfinished() {
      const letters = asked && field() ? written(field()).value : '';
      return letters.trim() ? {...asked, typed: letters} : null;
    },
    // A page has been drawn: nothing is picked, the first picture has the focus.
    start(isFocused) {
      anchor = null;
      link.lastWords();
      count();
      const first = cards()[0];
      if (!first) return;
      if (isFocused) { scrollTo(0, 0); focus(first); } else tell(first);
    },
    // Something was decided: these are picked no more.
    done(rows) {
      cards().filter(card => rows.includes(row(card))).forEach(card => pick(card, false));
      count();
      this.back();
      if (current()) tell(current());
    },
    back() {
      const at = document.activeElement;
      if (!isAsking() && (!at || at === document.body)) current()?.focus({preventScroll: true});
    },
  };
})();
