import { css } from "lit";

export const styles = css`
  :host {
    display: inline-block;
  }
  .bell {
    position: relative;
    display: grid;
    place-items: center;
    width: 40px;
    height: 40px;
    border-radius: 12px;
    transition: background-color 120ms ease-out;
  }
  .bell:hover,
  .bell[aria-expanded="true"] {
    background: color-mix(in oklab, currentColor 8%, transparent);
  }
  .bell .icon {
    width: 20px;
    height: 20px;
  }
  .badge {
    position: absolute;
    top: 3px;
    inset-inline-start: 20px;
    min-width: 17px;
    height: 17px;
    padding: 0 5px;
    border-radius: 9px;
    font: 600 11px / 17px var(--tocsin-font, system-ui, sans-serif);
    font-variant-numeric: tabular-nums;
    text-align: center;
    color: oklch(1 0 0);
    background: var(--_critical);
    box-shadow: 0 0 0 2px var(--tocsin-bell-ring, var(--_surface));
    animation: pop 160ms ease-out;
  }
  .panel {
    position: fixed;
    width: min(400px, calc(100vw - 16px));
    height: fit-content;
    margin: 0;
    padding: 0;
    border: 1px solid var(--_border);
    border-radius: 12px;
    overflow: hidden;
    color: var(--_text);
    background: var(--_surface);
    box-shadow: 0 12px 32px -8px var(--_shadow);
  }
  .panel:popover-open {
    display: flex;
    flex-direction: column;
    animation: unfold 140ms ease-out;
  }
  tocsin-inbox {
    flex: 1;
    min-width: 0;
    min-height: 240px;
  }
  .bar {
    display: none;
    align-items: center;
    justify-content: space-between;
    min-height: 48px;
    padding: calc(4px + env(safe-area-inset-top)) 4px 0;
    padding-inline-start: 16px;
    font-size: 16px;
    font-weight: 600;
  }
  .drawer {
    inset: 0;
    inset-inline-start: auto;
    width: min(100vw, 480px);
    height: 100dvh;
    max-height: none;
    border: 0;
    border-radius: 0;
  }
  .drawer .bar {
    display: flex;
  }
  .drawer::backdrop {
    background: oklch(0.15 0.01 265 / 0.45);
  }
  .drawer:popover-open {
    animation: slide 180ms ease-out;
  }
  @keyframes pop {
    from {
      transform: scale(0.6);
    }
  }
  @keyframes unfold {
    from {
      opacity: 0;
      transform: translateY(-4px);
    }
  }
  @keyframes slide {
    from {
      opacity: 0;
      transform: translateY(32px);
    }
  }
  @media (hover: none) {
    .bell {
      width: 44px;
      height: 44px;
    }
    .badge {
      top: 5px;
      inset-inline-start: 22px;
    }
  }
  @media (forced-colors: active) {
    .badge {
      forced-color-adjust: none;
    }
  }
`;
