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
  .row:last-child {
    border-bottom-color: transparent;
  }
  .row.unread {
    background: color-mix(in oklab, var(--_accent) 3.5%, transparent);
  }
  .row:hover,
  .row:focus-within {
    background: var(--_hover);
  }
  .row.fresh {
    animation: arrive 180ms ease-out;
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
    text-align: start;
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
    color: var(--_quiet);
  }
  /* Above the text and out of its flow, so that nothing moves when they appear. */
  .actions {
    position: absolute;
    z-index: 1;
    inset: 6px 8px auto auto;
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
  .row:hover .actions,
  .row:focus-within .actions,
  .actions[data-open] {
    opacity: 1;
    pointer-events: auto;
  }
  .more {
    display: none;
  }
  @media (hover: none) {
    .row {
      padding-inline-end: 52px;
    }
    .actions:not([data-open]) {
      display: none;
    }
    .actions[data-open] {
      inset-inline-end: 52px;
    }
    .more {
      position: absolute;
      z-index: 1;
      inset: 6px 4px auto auto;
      display: grid;
    }
  }
  @keyframes arrive {
    from {
      opacity: 0;
      transform: translateY(-12px);
    }
  }
`;
