import { css } from "lit";

/** What the elements of settings pages have in common. */
export const settings = css`
  :host {
    display: block;
  }
  .problem {
    font-size: 13px;
    color: var(--_error);
    overflow-wrap: anywhere;
  }
  .primary,
  .secondary {
    min-height: 32px;
    padding: 0 12px;
    border: 1px solid var(--_border);
    border-radius: 8px;
    font-size: 13px;
    font-weight: 500;
    transition:
      background-color 120ms ease-out,
      border-color 120ms ease-out;
  }
  .primary {
    color: var(--_on-accent);
    border-color: var(--_accent);
    background: var(--_accent);
  }
  .primary:hover {
    background: color-mix(in oklab, var(--_accent) 88%, var(--_text));
  }
  .secondary:hover {
    background: var(--_hover);
  }
  :disabled,
  [aria-disabled="true"] {
    opacity: 0.55;
    pointer-events: none;
  }
  .bones {
    height: 64px;
    border-radius: 10px;
    background: color-mix(in oklab, var(--_text) 6%, transparent);
  }
  @media (hover: none) {
    .primary,
    .secondary {
      min-height: 44px;
      padding: 0 18px;
    }
  }
`;
