"""The style of the wizard."""

STYLE = """
.titled { margin-top: .6rem; }
.begin { margin: 1rem 0; align-items: flex-start; }
.field { margin-top: .55rem; }
.desk { display: grid; gap: 1.2rem; grid-template-columns: minmax(0, 1fr); margin: 1rem 0; }
@media (min-width: 800px) { .desk { grid-template-columns: minmax(0, 1.2fr) minmax(0, 1fr); } }
.shown { display: grid; place-items: center; min-height: min(50vh, 420px); background: var(--band);
  border: 1px solid var(--line); border-radius: 8px; overflow: hidden; }
.shown img { width: 100%; height: min(60vh, 560px); object-fit: contain; }
.shown code { padding: 1rem; overflow-wrap: anywhere; }
.label-of { display: block; font-size: .9rem; color: var(--dim); margin: .4rem 0 .2rem; }
.label-field {
  font: inherit; color: var(--ink); background: var(--raised); border: 1px solid var(--dim);
  border-radius: 5px; padding: .55rem .7rem; width: 100%;
}
.label-field:focus { outline: 2px solid var(--link) !important; outline-offset: 0; }
.suggested {
  list-style: none; margin: .3rem 0 0; padding: 0; border: 1px solid var(--line); border-radius: 6px;
}
.suggested:empty { display: none; }
.suggested li { padding: .35rem .7rem; cursor: pointer; overflow-wrap: anywhere; }
.suggested li[aria-selected="true"] {
  background: var(--band); font-weight: 650; box-shadow: inset 3px 0 0 var(--c1);
}
.keys { display: grid; gap: .2rem; margin-top: .8rem; font-size: .88rem; color: var(--dim); }
.keys kbd { border: 1px solid var(--line); border-radius: 4px; padding: 0 .35rem; font-family: inherit; }
@media (max-width: 799px) { .shown { min-height: 0; } .shown img { height: min(45vh, 340px); } }
.bring { margin-top: 1rem; }
.answer { font-size: 1.15rem; max-width: 46rem; }
.wrong { display: flex; flex-wrap: wrap; gap: .8rem; padding: 0; list-style: none; }
.wrong li { width: 8.5rem; font-size: .82rem; overflow-wrap: anywhere; }
.wrong img { width: 100%; aspect-ratio: 1; object-fit: contain; background: var(--band); border-radius: 6px; }
"""
