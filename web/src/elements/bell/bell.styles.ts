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
    inset: var(--_top, 56px) var(--_right, 8px) auto auto;
    width: min(400px, calc(100vw - 16px));
    height: fit-content;
    max-height: min(70vh, calc(100vh - var(--_top, 56px) - 16px));
    margin: 0;
    padding: 0;
    border: 1px solid var(--_border);
    border-radius: 12px;
    overflow: hidden;
    color: var(--_text);
    background: var(--_surface);
    box-shadow: 0 12px 32px -8px var(--_shadow);
    transform-origin: top right;
  }
  .panel:popover-open {
    display: flex;
    animation: unfold 140ms ease-out;
  }
  tocsin-inbox {
    flex: 1;
    min-width: 0;
    min-height: 240px;
  }
  @keyframes pop {
    from {
      transform: scale(0.6);
    }
  }
  @keyframes unfold {
    from {
      opacity: 0;
      transform: translateY(-4px) scale(0.985);
    }
  }
  @media (max-width: 480px) {
    .panel {
      inset: auto 0 0 0;
      width: 100vw;
      max-width: none;
      height: 82dvh;
      max-height: none;
      border: 0;
      border-radius: 16px 16px 0 0;
    }
    .panel::backdrop {
      background: oklch(0.15 0.01 265 / 0.45);
    }
    .panel:popover-open {
      animation-name: rise;
      animation-duration: 180ms;
    }
    @keyframes rise {
      from {
        transform: translateY(32px);
        opacity: 0;
      }
    }
  }
`;
