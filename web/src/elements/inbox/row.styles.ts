import { css } from "lit";

export const rowStyles = css`
  .row {
    position: relative;
    display: grid;
    grid-template-columns: 28px minmax(0, 1fr);
    column-gap: 12px;
    min-height: 60px;
    padding: 12px 16px;
    border-bottom: 1px solid color-mix(in oklab, var(--_border) 60%, transparent);
    transition: background-color 120ms ease-out;
  }
  section:last-of-type .row:last-child {
    border-bottom-color: transparent;
  }
  .row.unread {
    background: color-mix(in oklab, var(--_accent) 3.5%, transparent);
  }
  .row:hover,
  .row:has(:focus-visible) {
    background: var(--_hover);
  }
  .row.selected {
    background: color-mix(in oklab, var(--_accent) 10%, transparent);
  }
  .row.fresh {
    animation: arrive 180ms ease-out;
  }
  .text {
    align-self: center;
  }
  .head {
    display: flex;
    align-items: baseline;
    gap: 8px;
  }
  .title {
    flex: 1;
    min-width: 0;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
    /* A text of the other direction begins where the page's lines begin, and is cut where its own end. */
    text-align: -webkit-match-parent;
    text-align: match-parent;
    font-weight: 450;
    color: color-mix(in oklab, var(--_text) 82%, var(--_quiet));
  }
  .unread .title {
    font-weight: 600;
    color: var(--_text);
  }
  /* The whole row is the target; what lies above it has its own. */
  .title::after {
    content: "";
    position: absolute;
    inset: 0;
  }
  .title:focus-visible {
    outline: none;
  }
  .title:focus-visible::after {
    outline: 2px solid var(--_accent);
    outline-offset: -2px;
    border-radius: 8px;
  }
  .meta {
    display: flex;
    align-items: center;
    gap: 8px;
    flex: none;
    font-size: 12px;
    color: var(--_quiet);
    font-variant-numeric: tabular-nums;
  }
  .meta time {
    position: relative; /* above the row's target, for its exact time on hover */
    z-index: 1;
  }
  .dot {
    width: 8px;
    height: 8px;
    border-radius: 50%;
    background: var(--_accent);
  }
  .body {
    display: -webkit-box;
    -webkit-box-orient: vertical;
    -webkit-line-clamp: 2;
    margin: 1px 0 0;
    overflow: hidden;
    overflow-wrap: anywhere;
    text-align: -webkit-match-parent;
    text-align: match-parent;
    color: var(--_quiet);
  }
  /* A box to choose the row by takes the place of its mark. */
  .pick {
    position: absolute;
    z-index: 1;
    inset-block: 0;
    inset-inline-start: 0;
    width: 50px;
    display: grid;
    justify-items: center;
    align-items: start;
    padding-block-start: 17px;
    padding-inline-start: 9px;
    opacity: 0;
    cursor: pointer;
    user-select: none;
  }
  [type="checkbox"] {
    width: 18px;
    height: 18px;
    margin: 0;
    accent-color: var(--_accent);
    cursor: pointer;
  }
  .pick-all {
    display: grid;
    place-items: center;
    width: 50px;
    min-height: 28px;
    padding-inline-start: 9px;
  }
  .selected .pick,
  .pick:has(:focus-visible),
  .chosen ~ .stage .pick {
    opacity: 1;
  }
  .selected .mark,
  .row:has(.pick :focus-visible) .mark,
  .chosen ~ .stage .mark {
    visibility: hidden;
  }
  /* Above the text and out of its flow, so that nothing moves when they appear. */
  .actions {
    position: absolute;
    z-index: 1;
    inset-block-start: 6px;
    inset-inline-end: 8px;
    display: flex;
    padding: 2px;
    border-radius: 10px;
    border: 1px solid var(--_border);
    background: var(--_raised);
    box-shadow: 0 2px 8px -2px var(--_shadow);
    opacity: 0;
    pointer-events: none;
    transition: opacity 120ms ease-out;
  }
  .row:has(:focus-visible) .actions {
    opacity: 1;
    pointer-events: auto;
  }
  @media (hover: hover) {
    .row:hover .actions,
    .row:hover .pick {
      opacity: 1;
      pointer-events: auto;
    }
    .row:hover .mark {
      visibility: hidden;
    }
  }
  @media (hover: none) {
    .row {
      padding-inline-end: 52px;
    }
    .pick-all {
      min-height: 44px;
    }
    .pick {
      pointer-events: none;
    }
    .selected .pick,
    .chosen ~ .stage .pick {
      pointer-events: auto;
    }
    .actions {
      inset-inline-end: 4px;
      padding: 0;
      border: 0;
      background: none;
      box-shadow: none;
      opacity: 1;
      pointer-events: auto;
    }
    .actions .icon-button:not(.more) {
      display: none;
    }
  }
  @media (forced-colors: active) {
    .dot {
      background: Highlight;
    }
    .row.selected {
      outline: 2px solid Highlight;
      outline-offset: -2px;
    }
  }
  @keyframes arrive {
    from {
      opacity: 0;
      transform: translateY(-12px);
    }
  }
`;
