import { css } from "lit";

export const menuStyles = css`
  .menu {
    position: fixed;
    inset: auto;
    min-width: 224px;
    max-width: calc(100vw - 16px);
    max-height: calc(100dvh - 16px);
    margin: 0;
    padding: 4px;
    overflow-y: auto;
    border: 1px solid var(--_border);
    border-radius: 12px;
    color: var(--_text);
    background: var(--_raised);
    box-shadow: 0 12px 32px -8px var(--_shadow);
  }
  .menu:focus-visible {
    outline: none; /* it only holds what can be chosen, or read */
  }
  .menu:popover-open {
    animation: appear 120ms ease-out;
  }
  [role="menuitem"] {
    display: flex;
    align-items: center;
    justify-content: space-between;
    gap: 24px;
    width: 100%;
    min-height: 32px;
    padding: 0 8px;
    border-radius: 8px;
    font-size: 13px;
    text-align: start;
  }
  [role="menuitem"]:hover,
  [role="menuitem"]:focus-visible {
    background: var(--_hover);
  }
  [role="menuitem"]:focus-visible {
    outline-offset: -2px;
  }
  .when {
    color: var(--_quiet);
    font-variant-numeric: tabular-nums;
  }
  hr {
    margin: 4px;
    border: 0;
    border-top: 1px solid var(--_border);
  }
  kbd {
    font: inherit;
    font-size: 12px;
    color: var(--_quiet);
  }
  .menu h2 {
    padding: 8px;
    background: none;
    color: var(--_text);
    font-size: 13px;
    font-weight: 600;
  }
  dl,
  dd {
    margin: 0;
  }
  dl {
    padding: 0 8px 8px;
    font-size: 13px;
  }
  dl div {
    display: flex;
    justify-content: space-between;
    gap: 24px;
    padding: 3px 0;
  }
  dd kbd {
    padding: 1px 6px;
    border: 1px solid var(--_border);
    border-radius: 6px;
  }
  @keyframes appear {
    from {
      opacity: 0;
      transform: scale(0.98);
    }
  }
  @media (hover: none) {
    [role="menuitem"] {
      min-height: 44px;
      padding: 0 12px;
    }
    [role="menuitem"] kbd {
      display: none;
    }
  }
`;
