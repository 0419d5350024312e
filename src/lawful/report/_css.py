"""The look of the page: one column of text, figures in pairs, light and dark, on paper."""

STYLE = """
:root {
  color-scheme: light dark;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
  --mono: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  --paper: #f6f7f8; --card: #ffffff; --ink: #1f2933; --soft: #52606d; --line: #d9dee3;
  --good: #00684c; --good-ground: #e3f4ee; --bad: #9a3a00; --bad-ground: #fdece0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14181d; --card: #1d232a; --ink: #e6eaee; --soft: #a5b1bc; --line: #36404a;
    --blue: #3f9fe0; --vermillion: #f2863a; --sky: #b3e0fb;
    --good: #5fd3a9; --good-ground: #14322a; --bad: #ffac78; --bad-ground: #3d2415;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.5 var(--sans); }
main { max-width: 72rem; margin: 0 auto; padding: 1.5rem 1.25rem 3rem; }
h1 { font-size: 1.75rem; line-height: 1.25; margin: 0 0 1rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.25rem 0 0.6rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 0.4rem; overflow-wrap: anywhere; }
p, li { max-width: 48rem; overflow-wrap: anywhere; }
p { margin: 0.4rem 0; }
ul { margin: 0.3rem 0; padding-left: 1.2rem; }
.soft, figcaption, dt { color: var(--soft); }
.verdict { border-left: 0.35rem solid; border-radius: 0.3rem; padding: 0.7rem 1rem; }
.verdict strong { font-size: 1.1rem; }
.verdict p { color: var(--ink); }
.good { color: var(--good); background: var(--good-ground); border-color: var(--good); }
.bad { color: var(--bad); background: var(--bad-ground); border-color: var(--bad); }
nav { margin: 1rem 0; display: flex; flex-wrap: wrap; gap: 0.2rem 1.1rem; font-size: 0.92rem; }
nav a { color: inherit; text-decoration-color: var(--soft); text-underline-offset: 0.2em; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; background: var(--card); }
th, td {
  padding: 0.35rem 0.9rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line);
}
thead th { font-weight: 600; color: var(--soft); border-bottom-width: 2px; white-space: nowrap; }
tbody th { font-weight: 600; overflow-wrap: anywhere; max-width: 22rem; }
td.number, th.number { text-align: right; white-space: nowrap; }
td.long { max-width: 46rem; }
.correlation td { text-align: right; padding: 0.35rem 0.6rem; min-width: 4rem; }
.correlation th { max-width: 12rem; }
.correlation thead th { text-align: right; white-space: normal; }
code { font-family: var(--mono); font-size: 0.9em; white-space: pre-wrap; overflow-wrap: anywhere; }
.figures {
  display: grid; gap: 1rem; align-items: start;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 29rem), 1fr));
}
figure {
  margin: 0; padding: 0.8rem; max-width: 40rem; background: var(--card);
  border: 1px solid var(--line); border-radius: 0.4rem; break-inside: avoid;
}
figure svg, figure img { display: block; width: 100%; height: auto; }
figure svg * { stroke-linejoin: round; stroke-linecap: butt; }
figcaption { font-size: 0.9rem; margin-top: 0.5rem; overflow-wrap: anywhere; }
figcaption b { color: var(--ink); }
dl {
  display: grid; gap: 0.35rem 1.2rem; margin: 0.4rem 0;
  grid-template-columns: minmax(8rem, max-content) 1fr;
}
dd { margin: 0; overflow-wrap: anywhere; }
dd ul { list-style: none; padding: 0; margin: 0; }
@media (max-width: 36rem) { dl { grid-template-columns: 1fr; gap: 0 1rem; } dd { margin-bottom: 0.6rem; } }
@media print {
  :root {
    color-scheme: light;
    --paper: #ffffff; --card: #ffffff; --ink: #1f2933; --soft: #52606d; --line: #c5ccd3;
    --blue: #0072b2; --vermillion: #d55e00; --sky: #56b4e9;
    --good: #00684c; --good-ground: #ffffff; --bad: #9a3a00; --bad-ground: #ffffff;
  }
  body { font-size: 10pt; }
  main { max-width: none; padding: 0; }
  nav { display: none; }
  .figures { grid-template-columns: 1fr 1fr; }
  h2, h3 { break-after: avoid; }
  tr, .verdict { break-inside: avoid; }
  * { print-color-adjust: exact; }
}
"""
