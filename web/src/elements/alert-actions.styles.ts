import { css } from "lit";

/** Above the target that covers the whole alert, each with its own. */
export const choices = css`
  .choices {
    position: relative;
    z-index: 1;
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
    width: fit-content;
    margin-top: 8px;
  }
  .choice {
    max-width: 100%;
    padding: 3px 10px;
    border: 1px solid var(--_border);
    border-radius: 8px;
    font-size: 13px;
    font-weight: 500;
    overflow-wrap: anywhere;
    text-align: start;
    background: var(--_surface);
    transition:
      background-color 120ms ease-out,
      border-color 120ms ease-out;
  }
  .choice:hover {
    border-color: color-mix(in oklab, var(--_text) 30%, transparent);
  }
  .choice:active {
    background: var(--_hover);
  }
  .choice:focus-visible {
    outline: 2px solid var(--_accent);
    outline-offset: 2px;
  }
  .choice[data-style="primary"] {
    color: var(--_on-accent);
    border-color: var(--_accent);
    background: var(--_accent);
  }
  .choice[data-style="primary"]:hover,
  .choice[data-style="primary"]:active {
    background: color-mix(in oklab, var(--_accent) 88%, var(--_text));
  }
  .choice[data-style="danger"] {
    color: var(--_error);
  }
  .choice[data-style="danger"]:hover {
    border-color: color-mix(in oklab, var(--_error) 55%, transparent);
    background: color-mix(in oklab, var(--_error) 8%, transparent);
  }
  @media (hover: none) {
    .choice {
      min-width: 44px;
      min-height: 44px;
      padding: 8px 14px;
    }
    a.choice {
      display: inline-grid;
      align-content: center;
    }
  }
`;
