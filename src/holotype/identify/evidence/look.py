"""Style and behaviour of the page of evidence, beside those that all pages share."""

STYLE = """
.evidence-list { display: grid; gap: 1rem; align-items: start;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 460px), 1fr)); }
.evidence { border: 1px solid var(--line); border-radius: 8px; padding: .9rem 1rem; font-size: .875rem;
  min-width: 0; break-inside: avoid; }
.evidence[hidden] { display: none; }
.evidence-top { display: grid; grid-template-columns: 96px minmax(0, 1fr); gap: .9rem; }
.evidence h3 { margin: 0 0 .3rem; font-size: 1.05rem; overflow-wrap: anywhere; }
.evidence h4 { margin: .8rem 0 .4rem; font-size: .8125rem; }
.evidence p { margin: .35rem 0; overflow-wrap: anywhere; }
.evidence .record { font-size: .65rem; line-height: 1.3; overflow-wrap: anywhere; }
.evidence .head { font-size: .8125rem; }
.evidence .why { border-left: 3px solid var(--c1); padding-left: .7rem; margin: .7rem 0; }
.thumbnail.none { display: grid; place-items: center; text-align: center; font-size: .6875rem;
  line-height: 1.2; color: var(--dim); padding: .2rem; }
.ranks { list-style: none; margin: .7rem 0; padding: 0; }
.ranks li { display: grid; grid-template-columns: 4.7rem minmax(0, 1fr) 25% 3.6rem; gap: .6rem;
  align-items: center; line-height: 1.5; }
.ranks .bar { grid-column: auto; height: 7px; background: var(--neutral); }
.ranks .what { color: var(--dim); font-size: .8125rem; }
.ranks .who { overflow-wrap: anywhere; }
.ranks .share { text-align: right; white-space: nowrap; font-size: .8125rem; }
.ranks .below .who, .ranks .below .share { color: var(--dim); }
.ranks .below .bar i { background: var(--other); }
.ranks .novelty .bar i { background: var(--c2); }
.near { list-style: none; margin: 0; padding: 0; display: grid; gap: .6rem .45rem;
  grid-template-columns: repeat(auto-fill, minmax(84px, 1fr)); font-size: .6875rem; line-height: 1.35; }
.near li { min-width: 0; }
.near li > span, .near li > b { display: block; overflow-wrap: anywhere; }
.near li > .thumbnail { margin-bottom: .25rem; }
.near li > .thumbnail.none { display: grid; }
.near b { font-weight: 600; }
.facts-small { display: flex; flex-wrap: wrap; gap: .3rem 1.4rem; margin: .5rem 0; }
.facts-small dt { font-size: .75rem; color: var(--dim); }
.facts-small dd { margin: 0; font-weight: 600; overflow-wrap: anywhere; }
.evidence details { margin-top: .6rem; }
.evidence summary { cursor: pointer; color: var(--dim); font-size: .8125rem; }
.evidence-choice { display: none; }
.js .evidence-choice { display: flex; flex-wrap: wrap; gap: .5rem 1.2rem; align-items: center;
  margin: 0 0 1.1rem; font-size: .9375rem; border: 0; padding: 0; }
.evidence-choice input[type=checkbox] { margin: 0 .3rem 0 0; vertical-align: -1px; }
.aligned { overflow-x: auto; margin: .5rem 0;
  font: .72rem/1.25 ui-monospace, SFMono-Regular, Menlo, monospace; }
.terms dt { font-weight: 600; }
.terms dd { margin: 0 0 .6rem; max-width: 46rem; }
@media (max-width: 560px) { .evidence { padding: .8rem; }
  .ranks li { grid-template-columns: 4.2rem minmax(0, 1fr) 18% 3.4rem; gap: .45rem; } }
@media print {
  .js .evidence-choice, .evidence details { display: none; }
  .evidence-list { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: .5rem; }
  .evidence { font-size: 10px; padding: .5rem .6rem; }
  .evidence-top { grid-template-columns: 72px minmax(0, 1fr); gap: .6rem; }
  .evidence h3 { font-size: 12px; }
  .evidence h4, .evidence .head, .ranks .what, .ranks .share, .evidence .badge { font-size: 9px; }
  .evidence h4, .evidence .why, .ranks { margin: .35rem 0; }
  .evidence .record { font-size: 7px; }
  .ranks li { grid-template-columns: 3rem minmax(0, 1fr) 25% 2.6rem; gap: .4rem; line-height: 1.3; }
  .ranks .bar, .ranks .bar i { print-color-adjust: exact; }
  .near { grid-template-columns: repeat(5, minmax(0, 1fr)); font-size: 8px; line-height: 1.2; }
}
"""

SCRIPT = """
(function () {
  "use strict";
  const choice = document.getElementById("evidence-choice");
  const cards = Array.from(document.querySelectorAll(".evidence"));
  const texts = cards.map((card) => card.textContent.toLowerCase());
  const boxes = Array.from(choice.querySelectorAll("input[type=checkbox]"));
  function show() {
    const word = choice.querySelector("input[type=search]").value.trim().toLowerCase();
    const wanted = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    let shown = 0;
    cards.forEach((card, at) => {
      card.hidden = !(wanted.has(card.dataset.decision) && texts[at].includes(word));
      if (!card.hidden) shown += 1;
    });
    document.getElementById("evidence-count").textContent = shown + " of " + cards.length + " cards";
  }
  choice.addEventListener("input", show);
  show();
})();
"""
