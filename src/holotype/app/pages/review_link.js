// What a page of a review sends, and what waits for the answer. What turns the page is answered with the new
// page: what is pressed until then is kept, and done in its order when the page is there.
(() => {
  if (window.holotypeLink) return;
  const TURNS_WITHIN_MS = 3000;
  const ANSWERS_WITHIN_MS = 8000;
  const LOST = 'holotype-review-lost';
  const owed = new Map();
  let waiting = null;
  let kept = [];
  let late = null;

  const isUp = () => window.socket?.connected === true && window.did_handshake === true;
  function tell(words) {
    for (const place of document.querySelectorAll('.review-told')) place.textContent = words;
  }
  function plural(number, thing) { return `${number} ${thing}${number === 1 ? '' : 's'}`; }

  // Returns whether it was sent. Nothing is sent into a link that is down: it would be lost there.
  function send(told, doesTurn) {
    if (!isUp()) {
      drop('The server is away: nothing was written. Try again when it is back.');
      return false;
    }
    tell('');
    emitEvent('review', told);
    const doubt = () => {
      late = told.id;
      tell(`The server has not answered. Whether this was written is not known: ${about(told)}.`);
    };
    owed.set(told.id, {told, timer: setTimeout(doubt, ANSWERS_WITHIN_MS)});
    if (doesTurn) wait(told.id, 'The page has not come yet.');
    return true;
  }
  function about(told) {
    const records = told.picked?.length ? ` of ${plural(told.picked.length, 'record')}` : '';
    return `${told.what}${records}${told.name || told.typed ? ` “${told.name || told.typed}”` : ''}`;
  }

  // Keeps what is pressed until this is settled; tells where it takes too long.
  function wait(id, words, then) {
    const tooLate = () => {
      if (!kept.length) late = id;
      drop(words);
      then?.();
    };
    waiting = {id, timer: setTimeout(tooLate, TURNS_WITHIN_MS)};
  }
  function keep(act) {
    if (waiting) kept.push(act);
    return waiting !== null;
  }
  // What was kept will not be done.
  function drop(words) {
    clearTimeout(waiting?.timer);
    waiting = null;
    const lost = kept.length;
    kept = [];
    tell(lost ? `${words} ${plural(lost, 'key')} pressed since then ${lost === 1 ? 'was' : 'were'} not taken.` : words);
  }
  function settled(id) {
    if (owed.has(id)) {
      clearTimeout(owed.get(id).timer);
      owed.delete(id);
    }
    if (late === id) {  // after all, and nothing was lost
      late = null;
      tell('');
    }
    if (waiting?.id !== id) return;
    clearTimeout(waiting.timer);
    waiting = null;
    while (kept.length && !waiting) kept.shift()();
  }

  // A page that is loaded anew says what the one before it had not brought to an end.
  window.addEventListener('pagehide', () => {
    const open = window.holotypeReview?.unfinished();
    const lost = [...owed.values()].map(one => about(one.told)).concat(open ? [about(open)] : []);
    if (lost.length) sessionStorage.setItem(LOST, lost.join('; '));
  });
  function lastWords() {
    const lost = sessionStorage.getItem(LOST);
    sessionStorage.removeItem(LOST);
    if (lost) tell(`The page was loaded anew. See whether this was written: ${lost}.`);
  }

  window.holotypeLink = {isUp, send, wait, keep, drop, settled, tell, lastWords, isWaiting: () => waiting !== null};
})();
