import { css } from "lit";

export const styles = css`
  /* A page that says "display: block" of it means no harm, and would get a list that cannot scroll. */
  :host {
    display: flex !important;
    flex-direction: column;
    position: relative;
    min-height: 0;
    max-height: 100dvh;
    background: var(--_surface);
    overflow: hidden;
  }
  :host([hidden]) {
    display: none !important;
  }
  :host([variant="page"]) {
    height: 100dvh;
  }
  :host([variant="page"]) :is(header, .chosen, .filters, .line, section, .older, .notice) {
    width: 100%;
    max-width: 760px;
    margin-inline: auto;
  }
  header,
  .chosen {
    display: flex;
    flex: none;
    align-items: center;
    gap: 2px;
    min-height: 45px;
    padding: 8px;
    padding-inline-start: 12px;
    border-bottom: 1px solid var(--_border);
  }
  [role="tablist"] {
    display: flex;
    flex-wrap: wrap;
    gap: 2px;
    flex: 1;
    min-width: 0;
  }
  [role="tab"] {
    flex: none;
    height: 28px;
    padding: 0 8px;
    border-radius: 8px;
    font-weight: 500;
    font-size: 13px;
    white-space: nowrap;
    color: var(--_quiet);
    transition: background-color 120ms ease-out;
  }
  /* Inside: the next one is near. */
  [role="tab"]:focus-visible {
    outline-offset: -2px;
  }
  [role="tab"]:hover {
    color: var(--_text);
  }
  [role="tab"][aria-selected="true"] {
    color: var(--_text);
    background: color-mix(in oklab, var(--_text) 7%, transparent);
  }
  .count,
  .chosen-count {
    font-variant-numeric: tabular-nums;
  }
  .count {
    margin-inline-start: 2px;
    color: var(--_quiet);
  }
  .icon-button[aria-expanded="true"] {
    color: var(--_text);
    background: color-mix(in oklab, var(--_text) 7%, transparent);
  }
  .icon-button[data-active] {
    color: var(--_accent);
  }
  .chosen {
    padding-inline-start: 0;
  }
  .chosen-count {
    flex: 1;
    font-size: 13px;
    font-weight: 500;
  }
  .filters {
    display: flex;
    gap: 8px;
    padding: 8px 12px;
    border-bottom: 1px solid var(--_border);
  }
  .filters[hidden] {
    display: none;
  }
  select {
    flex: 1;
    min-width: 0;
    max-width: 240px;
    height: 32px;
    padding-inline: 10px 26px;
    border: 1px solid var(--_border);
    border-radius: 8px;
    font: inherit;
    font-size: 13px;
    text-overflow: ellipsis;
    color: var(--_text);
    background:
      linear-gradient(45deg, transparent 50%, currentColor 50%) calc(100% - 15px) 55% / 5px 5px no-repeat,
      linear-gradient(-45deg, transparent 50%, currentColor 50%) calc(100% - 10px) 55% / 5px 5px no-repeat,
      var(--_surface);
    appearance: none;
  }
  select:dir(rtl) {
    background-position-x: 10px, 15px, 0;
  }
  .line {
    display: flex;
    align-items: center;
    gap: 8px;
    padding: 6px 16px;
    font-size: 12px;
    color: var(--_quiet);
    background: var(--_hover);
    border-bottom: 1px solid var(--_border);
  }
  .stage {
    display: flex;
    position: relative;
    flex: 1;
    min-height: 0;
  }
  .list {
    flex: 1;
    min-width: 0;
    overflow-y: auto;
    overscroll-behavior: contain;
    scrollbar-width: thin;
    /* Rows that come above are made up for in row-window.ts, everywhere alike. */
    overflow-anchor: none;
    /* What gets the focus is never below a heading or the notice. */
    scroll-padding-block: 36px 72px;
  }
  h2 {
    position: sticky;
    z-index: 2;
    inset-block-start: 0;
    margin: 0;
    padding: 8px 16px 4px;
    font-size: 12px;
    font-weight: 500;
    color: var(--_quiet);
    background: var(--_surface);
  }
  h2::first-letter {
    text-transform: uppercase;
  }
  ul {
    margin: 0;
    padding: 0;
    list-style: none;
  }
  .gap {
    display: block;
    width: 1px;
  }
  .pill {
    position: absolute;
    z-index: 3;
    inset-block-start: 8px;
    inset-inline: 0;
    display: flex;
    align-items: center;
    gap: 4px;
    width: fit-content;
    min-height: 28px;
    margin-inline: auto;
    padding: 0 12px 0 8px;
    border-radius: 14px;
    font-size: 12px;
    font-weight: 600;
    font-variant-numeric: tabular-nums;
    color: var(--_on-accent);
    background: var(--_accent);
    box-shadow: 0 4px 12px -4px var(--_shadow);
    animation: drop 160ms ease-out;
  }
  .pill:hover {
    background: color-mix(in oklab, var(--_accent) 88%, var(--_text));
  }
  .pill .icon {
    width: 14px;
    height: 14px;
    stroke-width: 2;
  }
  .state {
    display: grid;
    justify-items: center;
    gap: 12px;
    padding: 56px 24px;
    text-align: center;
    text-wrap: balance;
    color: var(--_quiet);
  }
  .state .icon {
    width: 24px;
    height: 24px;
    opacity: 0.75;
  }
  .state p {
    margin: 0;
    max-width: 36ch;
  }
  .text-button {
    min-height: 32px;
    padding: 0 12px;
    border-radius: 8px;
    font-weight: 500;
    color: var(--_text);
    border: 1px solid var(--_border);
  }
  .text-button:hover {
    background: var(--_hover);
  }
  .text-button[aria-disabled="true"] {
    color: var(--_quiet);
  }
  .older {
    display: grid;
    place-items: center;
    padding: 12px;
  }
  .notice {
    position: absolute;
    z-index: 4;
    inset: auto 12px 12px;
    display: flex;
    align-items: center;
    justify-content: space-between;
    gap: 12px;
    min-height: 44px;
    padding: 4px;
    padding-inline-start: 14px;
    border: 1px solid transparent;
    border-radius: 10px;
    color: light-dark(oklch(0.97 0 0), oklch(0.2 0.01 265));
    background: light-dark(oklch(0.27 0.012 265), oklch(0.93 0.005 265));
    box-shadow: 0 8px 24px -8px var(--_shadow);
    animation: rise 160ms ease-out;
  }
  .notice button {
    min-height: 36px;
    padding: 0 12px;
    border-radius: 8px;
    font-weight: 600;
  }
  .notice button:focus-visible {
    outline-color: currentColor;
    outline-offset: -2px;
  }
  .notice button:hover {
    background: color-mix(in oklab, currentColor 14%, transparent);
  }
  .bone {
    border-radius: 6px;
    background: color-mix(in oklab, var(--_text) 8%, transparent);
    animation: breathe 1.4s ease-in-out infinite alternate;
  }
  .bones {
    display: grid;
    grid-template-columns: 28px 1fr;
    gap: 8px 12px;
    padding: 14px 16px;
    border-bottom: 1px solid color-mix(in oklab, var(--_border) 60%, transparent);
  }
  .bones .bone:first-child {
    grid-row: span 2;
    height: 28px;
    border-radius: 8px;
  }
  .bones .bone:nth-child(2) {
    width: 55%;
    height: 12px;
  }
  .bones .bone:nth-child(3) {
    width: 85%;
    height: 10px;
  }
  @keyframes breathe {
    to {
      opacity: 0.45;
    }
  }
  @keyframes rise {
    from {
      opacity: 0;
      transform: translateY(8px);
    }
  }
  @keyframes drop {
    from {
      opacity: 0;
      transform: translateY(-8px);
    }
  }
  @media (hover: none) {
    [role="tab"] {
      min-width: 44px;
      padding: 0 8px;
    }
    header,
    .chosen {
      min-height: 53px;
      padding-block: 4px;
    }
    [role="tab"],
    select,
    .notice button {
      height: 44px;
    }
    .text-button,
    .pill {
      min-height: 44px;
      padding-inline: 20px;
    }
    .pill {
      border-radius: 22px;
    }
  }
  @media (forced-colors: active) {
    [role="tab"][aria-selected="true"] {
      color: HighlightText;
      background: Highlight;
      forced-color-adjust: none;
    }
  }
`;
