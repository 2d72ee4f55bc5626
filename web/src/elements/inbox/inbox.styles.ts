import { css } from "lit";

export const styles = css`
  :host {
    display: flex;
    flex-direction: column;
    position: relative;
    min-height: 0;
    background: var(--_surface);
    overflow: hidden;
  }
  header {
    display: flex;
    align-items: center;
    gap: 8px;
    padding: 8px 8px 8px 12px;
    border-bottom: 1px solid var(--_border);
  }
  [role="tablist"] {
    display: flex;
    gap: 2px;
    flex: 1;
  }
  [role="tab"] {
    height: 28px;
    padding: 0 10px;
    border-radius: 8px;
    font-weight: 500;
    font-size: 13px;
    color: var(--_quiet);
    transition: background-color 120ms ease-out;
  }
  [role="tab"]:hover {
    color: var(--_text);
  }
  [role="tab"][aria-selected="true"] {
    color: var(--_text);
    background: color-mix(in oklab, var(--_text) 7%, transparent);
  }
  .count {
    margin-inline-start: 4px;
    font-variant-numeric: tabular-nums;
    color: var(--_quiet);
  }
  .offline {
    display: flex;
    align-items: center;
    gap: 8px;
    padding: 6px 16px;
    font-size: 12px;
    color: var(--_quiet);
    background: var(--_hover);
    border-bottom: 1px solid var(--_border);
  }
  .list {
    flex: 1;
    min-height: 0;
    overflow-y: auto;
    overscroll-behavior: contain;
    scrollbar-width: thin;
  }
  ul {
    margin: 0;
    padding: 0;
    list-style: none;
  }
  .state {
    display: grid;
    justify-items: center;
    gap: 12px;
    padding: 56px 24px;
    text-align: center;
    color: var(--_quiet);
  }
  .state .icon {
    width: 24px;
    height: 24px;
    opacity: 0.75;
  }
  .state p {
    margin: 0;
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
  .older {
    display: grid;
    place-items: center;
    padding: 12px;
  }
  .notice {
    position: absolute;
    z-index: 2;
    inset: auto 12px 12px;
    display: flex;
    align-items: center;
    justify-content: space-between;
    gap: 12px;
    min-height: 44px;
    padding: 4px 4px 4px 14px;
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
  @media (hover: none) {
    [role="tab"] {
      height: 36px;
      padding: 0 14px;
    }
    .text-button {
      min-height: 44px;
      padding: 0 20px;
    }
  }
`;
