import { css } from "lit";

export const styles = css`
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
    margin: 12px 0 0;
    margin-inline-start: 48px;
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
    margin: 8px 0 0;
    margin-inline-start: 48px;
  }
  .buttons {
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
    margin: 14px 0 0;
    margin-inline-start: 48px;
  }
  .said:not(:empty) {
    margin: 10px 0 0;
    margin-inline-start: 48px;
    font-size: 12px;
    font-variant-numeric: tabular-nums;
    color: var(--_quiet);
  }
`;
