// The keyboard, mouse and touch of a page of pictures. What is focused and picked is kept here, in the page;
// what is decided goes to the server as one event, with an id of its own so that it counts once.
(() => {
  if (window.holotypeReview) return;
  let anchor = null;
  let told = null;
  let early = null;
  const grid = () => document.getElementById('review-grid');
  const cards = () => grid() ? [...grid().querySelectorAll('[role=option]')] : [];
  const picked = () => cards().filter(card => card.getAttribute('aria-selected') === 'true');
  const row = card => Number(card.dataset.row);
  const current = () => cards().find(card => card === document.activeElement)
    || cards().find(card => card.getAttribute('tabindex') === '0') || cards()[0];
  const id = () => [...crypto.getRandomValues(new Uint8Array(16))].map(b => b.toString(16).padStart(2, '0')).join('');

  // A dialog is open, and its question has not been answered yet.
  const isAsking = () => [...document.querySelectorAll('.q-dialog')].some(one => !one.dataset.answered
    && !one.querySelector('.q-dialog__inner[class*=leave-active]'));

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
  function say(what, more) {
    const chosen = picked().map(row);
    const here = current();
    if (['relabel', 'note'].includes(what)) expect();
    emitEvent('review', {what, id: id(), page: grid().dataset.page, picked: chosen, focused: here ? row(here) : null, ...more});
  }
  function none() { cards().forEach(card => pick(card, false)); anchor = null; count(); }

  // Letters that are typed before the field they are meant for is there.
  function expect() {
    early = '';
    const end = Date.now() + 1500;
    const look = () => {
      const field = document.querySelector('.q-dialog__inner input, .q-dialog__inner textarea');
      if (field && document.activeElement === field) {
        if (early) {
          const kind = field.tagName === 'INPUT' ? HTMLInputElement : HTMLTextAreaElement;
          Object.getOwnPropertyDescriptor(kind.prototype, 'value').set.call(field, early + field.value);
          field.dispatchEvent(new Event('input', {bubbles: true}));
        }
        early = null;
      } else if (Date.now() < end) {
        if (field) field.focus();
        requestAnimationFrame(look);
      } else early = null;
    };
    look();
  }

  const KEYS = {
    Enter: 'confirm', c: 'confirm', r: 'relabel', x: 'unclassify', Delete: 'unclassify', u: 'undo',
    m: 'note', n: 'next', PageDown: 'next', p: 'previous', PageUp: 'previous', o: 'open', '?': 'keys',
  };
  function pressed(event) {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const isLetter = event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey;
    if (early !== null && isLetter && !['INPUT', 'TEXTAREA'].includes(document.activeElement?.tagName)) {
      early += event.key; event.preventDefault(); return;
    }
    if (!grid() || isAsking()) return;
    const at = event.target;
    const tag = at.tagName.toLowerCase();
    const isLeft = at.closest('[data-answered]');
    if (!isLeft && (['input', 'textarea', 'select'].includes(tag) || at.isContentEditable)) return;
    if (!isLeft && at.closest('.q-menu, [role=listbox]:not(#review-grid), [role=combobox]')) return;
    const isButton = !isLeft && (tag === 'button' || tag === 'a' || at.closest('button, a'));
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
  window.holotypeReview = {
    say,
    none,
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
    // The question of a dialog was answered: keys are for the page again, before the dialog has gone.
    answered(element) {
      const dialog = element.closest('.q-dialog');
      if (dialog) dialog.dataset.answered = 'true';
      element.blur();
      this.back();
    },
    back() {
      const at = document.activeElement;
      if (!isAsking() && (!at || at === document.body)) current()?.focus({preventScroll: true});
    },
  };
})();
