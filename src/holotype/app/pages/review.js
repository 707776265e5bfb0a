// The keyboard, mouse and touch of a page of pictures. What is focused and picked is kept here, in the page;
// what is decided goes to the server as one event, with an id of its own so that it counts once.
(() => {
  if (window.holotypeReview) return;
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
    told = setTimeout(() => emitEvent('review-look', {row: row(card)}), 120);
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
    if (FIELDS.includes(what)) { open(what); return; }
    emitEvent('review', {what, ...about(), ...more});
    if (DECIDING.includes(what)) none();
  }
  function none() { cards().forEach(card => pick(card, false)); anchor = null; count(); }

  // The fields stand ready in the page: no letter waits for the server.
  const written = dialog => dialog.querySelector('input, textarea');
  const list = () => document.getElementById('review-found');
  const options = () => [...list().querySelectorAll('[role=option]')];
  const chosen = () => options().find(one => one.getAttribute('aria-selected') === 'true');
  function open(what) {
    if (isAsking()) return;
    asked = {what, ...about()};
    const number = asked.picked.length || (asked.focused === null ? 0 : 1);
    if (!number) return;
    const dialog = document.getElementById(`review-${what}`);
    const title = what === 'note' ? 'Note on' : 'Label of';
    dialog.querySelector('h2').textContent = `${title} ${number} record${number === 1 ? '' : 's'}`;
    written(dialog).value = '';
    dialog.showModal();
    written(dialog).focus();
    typed();
  }
  function typed() {
    if (asked.what !== 'relabel') return;
    listed();
    emitEvent('review-typed', {...asked, typed: written(field()).value});
  }
  // The list is of the letters that stand there, and of this question.
  const isListed = () => list().dataset.asked === asked.id && list().dataset.typed === written(field()).value;
  function listed() {
    if (!asked || asked.what !== 'relabel' || !field()) return;
    list().hidden = list().dataset.asked !== asked.id;
    choose(0);
  }
  function choose(at) {
    const all = options();
    all.forEach((one, n) => one.setAttribute('aria-selected', n === at ? 'true' : 'false'));
    all[at]?.scrollIntoView({block: 'nearest'});
    const name = isListed() && all[at] ? all[at].dataset.name : null;
    const more = name && all[at].dataset.new === 'true' ? ', a new label without a lineage' : '';
    document.getElementById('review-takes').textContent = name ? `Enter takes “${name}”${more}. Arrow keys choose another one.` : '';
  }
  function take(name) {
    const letters = written(field()).value;
    if (!name && !letters.trim()) return;
    emitEvent('review', {...asked, typed: letters, name});
    close();
    none();
  }
  function keep() { take(''); }
  function close() { field()?.close(); asked = null; }
  function inField(event) {
    const isNote = asked?.what === 'note';
    if (event.isComposing || !asked) return;
    if (event.key === 'Enter' && event.target === written(field()) && (!isNote || event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      take(!isNote && isListed() ? chosen()?.dataset.name : '');
    } else if (!isNote && ['ArrowDown', 'ArrowUp'].includes(event.key)) {
      event.preventDefault();
      const all = options();
      const step = event.key === 'ArrowDown' ? 1 : -1;
      choose(Math.max(0, Math.min(all.length - 1, all.indexOf(chosen()) + step)));
    }
  }

  const FIELDS = ['relabel', 'note'];
  const DECIDING = ['confirm', 'unclassify', 'best'];
  const KEYS = {
    Enter: 'confirm', c: 'confirm', r: 'relabel', x: 'unclassify', Delete: 'unclassify', u: 'undo',
    m: 'note', n: 'next', PageDown: 'next', p: 'previous', PageUp: 'previous', o: 'open', '?': 'keys',
  };
  function pressed(event) {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (field()) { inField(event); return; }
    if (!grid() || isAsking()) return;
    const at = event.target;
    const tag = at.tagName.toLowerCase();
    if (['input', 'textarea', 'select'].includes(tag) || at.isContentEditable) return;
    if (at.closest('.q-menu, [role=listbox]:not(#review-grid), [role=combobox]')) return;
    const isButton = tag === 'button' || tag === 'a' || at.closest('button, a');
    if (isButton && [' ', 'Enter'].includes(event.key)) return;
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'z' && !event.shiftKey) {
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
    if (what && !event.repeat) { event.preventDefault(); say(what); }
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
  document.addEventListener('close', event => { if (!field()) asked = null; }, true);
  new MutationObserver(changes => {
    if (changes.some(one => (one.target.closest ? one.target : document.body).closest('#review-found'))) listed();
  }).observe(document.body, {subtree: true, childList: true, attributes: true, attributeFilter: ['data-typed', 'data-asked']});
  window.holotypeReview = {
    say,
    none,
    close,
    keep,
    // A page has been drawn: nothing is picked, the first picture has the focus.
    start(isFocused) {
      anchor = null;
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
