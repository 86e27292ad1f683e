/** The page on paper: the clouds with their states and the time, in black on white. */

export const PRINT_STYLE = `
.print-stamp { display: none; }

@media print {
  :root {
    color-scheme: light;
    --ink: #000;
    --soft-ink: #222;
    --card: #fff;
    --card-edge: #666;
    --card-shadow: none;
    --chip-base: #fff;
    --chip-ink: #000;
    --snore: #333;
  }
  @page { margin: 14mm; }
  html { font-size: 10pt; background: #fff; }
  body { display: block; max-width: none; min-height: 0; padding: 0; }
  body::before, #status, #filters, #retry, #latency, .skip, .back-link, #history-slider, #reset-filters, #back-to-now, .history-head select, footer, #wall-link { display: none; }
  h1 span { position: static !important; clip-path: none !important; }
  .print-stamp { display: block; margin: 0 0 4mm; color: var(--ink); }
  #clouds, #clouds[data-size] { display: grid !important; position: static !important; grid-template-columns: repeat(auto-fill, minmax(42mm, 1fr)); gap: 4mm; height: auto !important; padding: 0; }
  #clouds[data-size="dense"] { grid-template-columns: repeat(auto-fill, minmax(30mm, 1fr)); }
  #clouds[data-size] .card { position: relative !important; contain: none; max-width: none; padding: 3mm 2mm; background: #fff; box-shadow: none; break-inside: avoid; }
  /* A state is told by its word, not by its colour. */
  #clouds[data-size] .card .state { position: static; width: auto; height: auto; margin: 0; clip-path: none; white-space: normal; color: #000; background: none; border: 1px solid #000; padding: 2px 10px 3px; overflow: visible; }
  #clouds[data-size] .picture { width: min(100%, 34mm); height: auto; }
  #clouds .when-note { position: static; width: auto; height: auto; margin: 0; clip-path: none; overflow: visible; white-space: normal; }
  #clouds time[aria-hidden="true"] { display: none; }
  #clouds .facts, #clouds .when { min-height: 0; white-space: normal; }
  #detail .state { color: #000; background: none; border: 1px solid #000; }
  #clouds .card h2 { white-space: normal; overflow-wrap: anywhere; }
  #clouds .card h2 a.long, #clouds .long > span { display: inline; max-width: none; }
  .drawing, .drawing * { animation: none !important; filter: none !important; }
  .detail-layout { grid-template-columns: 70mm 1fr; }
  #detail-picture::before { display: none; }
  #history-canvas { print-color-adjust: exact; }
}
`;
