import { css } from "lit";

export const styles = css`
  :host {
    display: block;
  }
  .head {
    --_tone: var(--_accent);
    display: grid;
    grid-template-columns: 36px minmax(0, 1fr);
    gap: 12px;
  }
  .head[data-tone="success"] {
    --_tone: var(--_success);
  }
  .head[data-tone="warning"] {
    --_tone: var(--_warning);
  }
  .head[data-tone="quiet"] {
    --_tone: var(--_quiet);
  }
  .mark {
    display: grid;
    place-items: center;
    width: 36px;
    height: 36px;
    border-radius: 10px;
    color: var(--_tone);
    background: color-mix(in oklab, var(--_tone) 12%, transparent);
  }
  .mark .icon {
    width: 20px;
    height: 20px;
  }
  p,
  dl,
  dd {
    margin: 0;
  }
  .title {
    font-weight: 600;
    text-wrap: balance;
  }
  .text {
    margin-top: 2px;
    color: var(--_quiet);
    text-wrap: pretty;
  }
  dl {
    margin: 12px 0 0 48px;
    padding-top: 10px;
    border-top: 1px solid var(--_border);
    font-size: 13px;
  }
  dl > div {
    display: grid;
    grid-template-columns: 1fr auto;
    gap: 2px 12px;
    padding: 2px 0;
  }
  dt {
    color: var(--_quiet);
  }
  dd {
    font-variant-numeric: tabular-nums;
  }
  .why {
    grid-column: 1 / -1;
    color: var(--_quiet);
    overflow-wrap: anywhere;
  }
  .problem {
    margin: 8px 0 0 48px;
    font-size: 13px;
    color: var(--_error);
    overflow-wrap: anywhere;
  }
  .buttons {
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
    margin: 14px 0 0 48px;
  }
  .buttons button {
    min-height: 32px;
    padding: 0 12px;
    border-radius: 8px;
    font-size: 13px;
    font-weight: 500;
    transition:
      background-color 120ms ease-out,
      border-color 120ms ease-out;
  }
  .buttons button:disabled {
    opacity: 0.55;
    pointer-events: none;
  }
  .primary {
    color: var(--_on-accent);
    background: var(--_accent);
  }
  .primary:hover {
    background: color-mix(in oklab, var(--_accent) 88%, var(--_text));
  }
  .secondary {
    border: 1px solid var(--_border);
  }
  .secondary:hover {
    background: var(--_hover);
  }
  .said:not(:empty) {
    margin: 10px 0 0 48px;
    font-size: 12px;
    font-variant-numeric: tabular-nums;
    color: var(--_quiet);
  }
  .bones {
    height: 64px;
    border-radius: 10px;
    background: color-mix(in oklab, var(--_text) 6%, transparent);
  }
  @media (hover: none) {
    .buttons button {
      min-height: 44px;
      padding: 0 18px;
    }
  }
`;
