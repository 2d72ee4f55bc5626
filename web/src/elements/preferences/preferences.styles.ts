import { css } from "lit";

export const styles = css`
  fieldset {
    min-width: 0;
    margin: 0;
    padding: 0 0 16px;
    border: 0;
  }
  legend {
    padding: 0 0 8px;
    font-weight: 600;
  }
  .row {
    display: grid;
    grid-template-columns: minmax(0, 1fr) repeat(2, minmax(0, 224px)); /* "Default: Warning and above" */
    gap: 8px;
    align-items: center;
    padding: 6px 0;
    border-top: 1px solid var(--_border);
  }
  .what {
    overflow-wrap: anywhere;
  }
  .what + select:last-child {
    grid-column: 2 / -1;
  }
  .zone {
    margin-top: 12px;
  }
  select,
  input[type="time"] {
    width: 100%;
    min-height: 32px;
    padding: 0 8px;
    border: 1px solid var(--_border);
    border-radius: 8px;
    font: inherit;
    font-size: 13px;
    text-overflow: ellipsis;
    color: inherit;
    background: var(--_surface);
  }
  select:hover,
  input[type="time"]:hover {
    border-color: color-mix(in oklab, var(--_text) 30%, transparent);
  }
  .window {
    display: flex;
    flex-wrap: wrap;
    gap: 8px 12px;
    align-items: end;
    padding: 8px 0;
  }
  .window > label span {
    display: block;
    font-size: 12px;
    color: var(--_quiet);
  }
  input[type="time"] {
    width: 112px;
    font-variant-numeric: tabular-nums;
  }
  .days {
    display: flex;
    flex-wrap: wrap;
    gap: 4px;
    margin-inline-end: auto;
  }
  .day {
    position: relative;
    cursor: pointer;
  }
  .day input {
    position: absolute;
    inset: 0;
    margin: 0;
    opacity: 0;
    cursor: inherit;
  }
  .day span {
    display: grid;
    place-items: center;
    min-width: 36px;
    height: 32px;
    padding: 0 6px;
    border: 1px solid var(--_border);
    border-radius: 8px;
    font-size: 12px;
    color: var(--_quiet);
  }
  .day :checked + span {
    font-weight: 600;
    color: var(--_text);
    border-color: var(--_accent);
    background: color-mix(in oklab, var(--_accent) 12%, transparent);
  }
  .day :focus-visible + span {
    outline: 2px solid var(--_accent);
    outline-offset: 2px;
  }
  .note {
    min-height: 18px;
    margin: 8px 0 0;
    font-size: 12px;
    color: var(--_quiet);
  }
  .problem {
    margin: 0 0 8px;
  }
  @media (max-width: 600px) {
    .row {
      /* Two only where each has room for the day and the time at which a mute ends. */
      grid-template-columns: repeat(auto-fit, minmax(min(100%, 164px), 1fr));
    }
    .what,
    .what + select:last-child {
      grid-column: 1 / -1;
    }
  }
  @media (hover: none) {
    select,
    input[type="time"],
    .day span {
      min-height: 44px;
    }
  }
  @media (forced-colors: active) {
    .day :checked + span {
      color: HighlightText;
      background: Highlight;
      forced-color-adjust: none;
    }
  }
`;
