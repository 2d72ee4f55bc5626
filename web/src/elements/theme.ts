/**
 * The look all elements share. A theme is twelve colours, each a custom property a page may set:
 * `--tocsin-surface`, `--tocsin-hover`, `--tocsin-border`, `--tocsin-text`, `--tocsin-quiet`,
 * `--tocsin-accent`, `--tocsin-on-accent`, `--tocsin-info`, `--tocsin-success`, `--tocsin-warning`,
 * `--tocsin-error`, `--tocsin-shadow`; and `--tocsin-font`.
 *
 * Light or dark follows the system; the attribute `theme="light"` or `theme="dark"` decides instead.
 */

import { css } from "lit";

export const theme = css`
  :host {
    color-scheme: light dark;
    --_surface: var(--tocsin-surface, light-dark(oklch(1 0 0), oklch(0.225 0.007 265)));
    --_raised: light-dark(var(--_surface), color-mix(in oklab, var(--_surface), oklch(1 0 0) 5%));
    --_hover: var(--tocsin-hover, light-dark(oklch(0.965 0.003 265), oklch(0.27 0.009 265)));
    --_border: var(--tocsin-border, light-dark(oklch(0.91 0.005 265), oklch(0.325 0.01 265)));
    --_text: var(--tocsin-text, light-dark(oklch(0.23 0.012 265), oklch(0.94 0.004 265)));
    --_quiet: var(--tocsin-quiet, light-dark(oklch(0.5 0.014 265), oklch(0.715 0.012 265)));
    --_accent: var(--tocsin-accent, light-dark(oklch(0.54 0.19 262), oklch(0.7 0.14 258)));
    --_on-accent: var(--tocsin-on-accent, light-dark(oklch(1 0 0), oklch(0.17 0.02 262)));
    --_info: var(--tocsin-info, light-dark(oklch(0.54 0.15 250), oklch(0.74 0.12 250)));
    --_success: var(--tocsin-success, light-dark(oklch(0.53 0.13 150), oklch(0.76 0.14 150)));
    --_warning: var(--tocsin-warning, light-dark(oklch(0.57 0.125 70), oklch(0.8 0.13 75)));
    --_error: var(--tocsin-error, light-dark(oklch(0.55 0.2 25), oklch(0.71 0.16 25)));
    --_shadow: var(--tocsin-shadow, light-dark(oklch(0.3 0.03 265 / 0.16), oklch(0 0 0 / 0.5)));
    --_critical: oklch(0.55 0.21 25);
    font: 400 14px / 1.45 var(--tocsin-font, system-ui, sans-serif);
    color: var(--_text);
    -webkit-font-smoothing: antialiased;
  }
  :host([theme="light"]) {
    color-scheme: light;
  }
  :host([theme="dark"]) {
    color-scheme: dark;
  }
  :host([hidden]) {
    display: none;
  }
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  button {
    font: inherit;
    color: inherit;
    background: none;
    border: 0;
    padding: 0;
    cursor: pointer;
    -webkit-tap-highlight-color: transparent;
  }
  a {
    color: inherit;
    text-decoration: none;
  }
  :focus {
    outline: none;
  }
  :focus-visible {
    outline: 2px solid var(--_accent);
    outline-offset: 2px;
  }
  .icon {
    display: block;
    width: 16px;
    height: 16px;
    flex: none;
  }
  .hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      animation: none !important;
      transition: none !important;
    }
  }
`;

/** How a severity is drawn: a small tinted mark with its icon; only `critical` is filled. */
export const severityMark = css`
  .mark {
    --_hue: var(--_info);
    display: grid;
    place-items: center;
    width: 28px;
    height: 28px;
    border-radius: 8px;
    color: var(--_hue);
    background: color-mix(in oklab, var(--_hue) 12%, transparent);
  }
  .mark .icon {
    width: 16px;
    height: 16px;
    stroke-width: 1.75;
  }
  .mark[data-severity="success"] {
    --_hue: var(--_success);
  }
  .mark[data-severity="warning"] {
    --_hue: var(--_warning);
  }
  .mark[data-severity="error"] {
    --_hue: var(--_error);
  }
  .mark[data-severity="critical"] {
    color: oklch(1 0 0);
    background: var(--_critical);
  }
`;

/** Quiet square buttons that hold one icon. */
export const iconButton = css`
  .icon-button {
    display: grid;
    place-items: center;
    width: 28px;
    height: 28px;
    border-radius: 8px;
    color: var(--_quiet);
    transition:
      background-color 120ms ease-out,
      color 120ms ease-out;
  }
  .icon-button:hover {
    color: var(--_text);
    background: color-mix(in oklab, var(--_text) 9%, transparent);
  }
  .icon-button[aria-disabled="true"] {
    opacity: 0.4;
    pointer-events: none;
  }
  @media (hover: none) {
    .icon-button {
      width: 44px;
      height: 44px;
    }
  }
`;
