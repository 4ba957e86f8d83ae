// The style sheet of the report: light and dark screens, narrow windows, print.
#pragma once

namespace limn::report::detail {

inline constexpr const char* style_sheet = R"css(
:root { color-scheme: light dark; --paper: #fff; --ink: #1b1f24; --soft: #57606a; --rule: #d5dae0; --tint: #f4f6f8;
  --good: #1a7f37; --bad: #b3261e; --heat: 30, 100, 200;
  --s0: #0b62b0; --s1: #c2410c; --s2: #18794e; --s3: #8e2fb3; --s4: #946200; --s5: #0e7490; --s6: #be185d; --s7: #57534e; }
@media screen and (prefers-color-scheme: dark) { :root { --paper: #14171b; --ink: #e6e9ee; --soft: #9aa4b0;
  --rule: #343b44; --tint: #1d2127; --good: #56d37f; --bad: #ff8a80; --heat: 90, 160, 255;
  --s0: #6cb2ff; --s1: #ff9a5c; --s2: #5fd39a; --s3: #d79bff; --s4: #e5b842; --s5: #58d0e6; --s6: #ff8fc0; --s7: #c9c2bb; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1360px; padding: 20px 24px 48px; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .4rem; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.2rem 0 .6rem; padding-top: .6rem; border-top: 1px solid var(--rule); }
p { margin: .4rem 0; max-width: 75ch; } ul { margin: .4rem 0; padding-left: 1.3rem; max-width: 75ch; }
.soft, figcaption, .legend, th { color: var(--soft); }
.notice { border-left: 4px solid var(--s1); background: var(--tint); padding: .5rem .9rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .7rem; text-align: right; border-bottom: 1px solid var(--rule); vertical-align: baseline; }
th { font-weight: 600; font-size: .85rem; } th:first-child, td:first-child, .facts td { text-align: left; }
td { white-space: nowrap; } td small { color: var(--soft); }
.facts td, td.name { white-space: normal; overflow-wrap: anywhere; min-width: 6em; }
.scroll { overflow-x: auto; }
.columns { display: flex; flex-wrap: wrap; gap: 1rem 2.5rem; align-items: flex-start; }
.confusion td.cell { text-align: center; min-width: 5rem; border: 1px solid var(--rule);
  background: rgba(var(--heat), var(--share)); print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.confusion td.hit { font-weight: 700; } .confusion td small { color: var(--ink); }
.plot { margin: 0; flex: 1 1 420px; max-width: 640px; } .plot.narrow { flex: 0 1 380px; }
.chart { width: 100%; height: auto; display: block; } .chart text { fill: var(--soft); font-size: 12px; }
figcaption { font-size: .9rem; }
.grid { stroke: var(--rule); stroke-width: 1; } .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.diagonal { stroke: var(--soft); stroke-dasharray: 5 5; }
.s0 { stroke: var(--s0); } .s1 { stroke: var(--s1); stroke-dasharray: 7 3; } .s2 { stroke: var(--s2); stroke-dasharray: 2 3; }
.s3 { stroke: var(--s3); stroke-dasharray: 9 3 2 3; } .s4 { stroke: var(--s4); stroke-dasharray: 4 2; }
.s5 { stroke: var(--s5); stroke-dasharray: 12 4; } .s6 { stroke: var(--s6); stroke-dasharray: 1 2; }
.s7 { stroke: var(--s7); stroke-dasharray: 9 2 2 2 2 2; } .dot { fill: var(--paper); stroke-width: 2; stroke-dasharray: none; }
.band { opacity: .18; }
.whisker { stroke-width: 1; stroke-dasharray: none; opacity: .55; }
.legend { font-size: .85rem; display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; }
.legend svg { width: 26px; height: 8px; } .legend b { color: var(--ink); }
.scale { height: 18px; border: 1px solid var(--rule); print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.ends { display: flex; justify-content: space-between; font-size: .85rem; color: var(--soft); } .key { max-width: 420px; }
.swatch { display: inline-block; width: 1.6em; height: 0; border-top: 3px solid; vertical-align: middle; outline: 1px solid #0008;
  print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.picture { border-top: 1px solid var(--rule); padding: .8rem 0 1rem; break-inside: avoid; }
.picture h3 { font-size: 1rem; margin: 0 0 .5rem; font-weight: 600; overflow-wrap: anywhere; } .picture h3 span { font-weight: 400; }
.badge { border: 1.5px solid; border-radius: 4px; padding: 0 .45em; font-weight: 600 !important; margin-right: .5em; }
.correct { color: var(--good); } .incorrect { color: var(--bad); }
.maps { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: .6rem; }
.maps figure { margin: 0; cursor: zoom-in; } .maps img { display: block; width: 100%; height: auto; background: #000;
  print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.maps figcaption { font-size: .82rem; line-height: 1.3; padding-top: .2rem; overflow-wrap: anywhere; }
.maps figure:focus { outline: 2px solid var(--s0); }
@media screen { .maps figure:focus img { position: fixed; inset: 0; margin: auto; width: min(94vw, 94vh); max-height: 94vh;
  object-fit: contain; z-index: 9; background: none; box-shadow: 0 0 0 100vmax #000c; cursor: default; } }
@media print { @page { margin: 14mm; } body { padding: 0; font-size: 10pt; } h2, figcaption { break-after: avoid; }
  .plot, table, tr, .columns > * { break-inside: avoid; } .plot { flex-basis: 40%; } .plot.narrow { flex-basis: 34%; }
  .columns { gap: 1rem; } .scroll { overflow: visible; } .scroll table { font-size: 8pt; } .scroll th, .scroll td { padding: .2rem .3rem; }
  .confusion td.cell { min-width: 3rem; } .maps { grid-template-columns: repeat(auto-fill, minmax(2.1cm, 1fr)); gap: .2rem; } }
)css";

}  // namespace limn::report::detail
