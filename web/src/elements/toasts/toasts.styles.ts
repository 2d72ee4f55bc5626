import { css } from "lit";

export const styles = css`
  :host {
    position: fixed;
    z-index: var(--tocsin-toasts-layer, 1000);
    inset-block: auto 16px;
    inset-inline: auto 16px;
    width: min(360px, calc(100vw - 32px));
    pointer-events: none;
  }
  :host([position^="top"]) {
    inset-block: 16px auto;
  }
  :host([position$="left"]) {
    inset-inline: unset;
    left: 16px;
  }
  :host([position$="right"]) {
    inset-inline: unset;
    right: 16px;
  }
  .stack {
    display: flex;
    flex-direction: column;
    gap: 8px;
  }
  .toast {
    position: relative;
    display: grid;
    grid-template-columns: 28px minmax(0, 1fr);
    column-gap: 12px;
    padding: 12px;
    padding-inline-end: 40px;
    border: 1px solid var(--_border);
    border-radius: 12px;
    background: var(--_raised);
    box-shadow: 0 8px 28px -8px var(--_shadow);
    pointer-events: auto;
    touch-action: pan-y;
    translate: var(--_moved, 0);
    transition: translate 120ms ease-out;
    animation: arrive 180ms ease-out;
  }
  .toast[style*="moved"] {
    transition: none;
  }
  .toast:hover {
    border-color: color-mix(in oklab, var(--_text) 22%, var(--_border));
  }
  .toast[data-severity="critical"] {
    border-color: color-mix(in oklab, var(--_critical) 55%, var(--_border));
  }
  .title {
    display: -webkit-box;
    width: 100%;
    /* A text of the other direction begins where the page's lines begin, and is cut where its own end. */
    text-align: -webkit-match-parent;
    text-align: match-parent;
    font-weight: 600;
    overflow-wrap: anywhere;
    -webkit-box-orient: vertical;
    -webkit-line-clamp: 2;
    overflow: hidden;
  }
  .title::after {
    content: "";
    position: absolute;
    inset: 0;
    border-radius: 12px;
  }
  .title:focus-visible {
    outline: none;
  }
  .title:focus-visible::after {
    outline: 2px solid var(--_accent);
    outline-offset: 2px;
  }
  .body {
    display: -webkit-box;
    -webkit-box-orient: vertical;
    -webkit-line-clamp: 3;
    margin: 1px 0 0;
    overflow: hidden;
    overflow-wrap: anywhere;
    text-align: -webkit-match-parent;
    text-align: match-parent;
    color: var(--_quiet);
  }
  .summary .body {
    display: block;
    white-space: nowrap;
    text-overflow: ellipsis;
  }
  .one-line {
    align-self: center;
  }
  .close {
    position: absolute;
    z-index: 1;
    inset-block-start: 8px;
    inset-inline-end: 6px;
  }
  .one-line + .close {
    inset-block-start: 12px;
  }
  @media (hover: none) {
    .close {
      inset-block-start: 0;
      inset-inline-end: 0;
    }
    .one-line + .close {
      inset-block-start: 4px;
    }
  }
  .more {
    align-self: flex-end;
    padding: 5px 12px;
    border: 1px solid var(--_border);
    border-radius: 16px;
    font-size: 12px;
    font-weight: 500;
    font-variant-numeric: tabular-nums;
    color: var(--_quiet);
    background: var(--_raised);
    box-shadow: 0 4px 12px -4px var(--_shadow);
    pointer-events: auto;
  }
  .more:hover {
    color: var(--_text);
  }
  :host([position$="left"]) .more {
    align-self: flex-start;
  }
  :host([position$="left"]),
  :host(:dir(rtl):not([position])) {
    --_from: -16px;
  }
  @keyframes arrive {
    from {
      opacity: 0;
      transform: translateX(var(--_from, 16px));
    }
  }
  @media (max-width: 480px) {
    :host,
    :host([position]) {
      inset: auto 12px calc(12px + env(safe-area-inset-bottom));
      width: auto;
    }
    .toast {
      animation-name: lift;
      padding-inline-end: 44px;
    }
    .more {
      min-height: 44px;
    }
    @keyframes lift {
      from {
        opacity: 0;
        transform: translateY(12px);
      }
    }
  }
`;
