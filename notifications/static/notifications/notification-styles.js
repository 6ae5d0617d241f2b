// @ts-check
// What it looks like: light or dark as the page's color-scheme says, unless the theme attribute does.
// Names that begin with --_ are its own: the page's values may be made of the page's --accent.

export const styles = new CSSStyleSheet();

styles.replaceSync(`
:host {
  --_accent: var(--notification-center-accent, light-dark(#3451d1, #9db1ff));
  --_accent-text: var(--notification-center-accent-text, light-dark(#fff, #10142a));
  --_badge: var(--notification-center-badge, #d0213a);
  --_ground: var(--notification-center-background, light-dark(#fff, #1b1d23));
  --_hover: var(--notification-center-hover, light-dark(#f3f4f7, #272a32));
  --_unread: var(--notification-center-unread, light-dark(#f3f6ff, #21253a));
  --_border: var(--notification-center-border, light-dark(#e5e7ec, #343842));
  --_text: var(--notification-center-text, light-dark(#1a1d24, #eceef3));
  --_quiet: var(--notification-center-muted, light-dark(#5b6270, #a6adba));
  --_radius: var(--notification-center-radius, 14px);
  --_target: 32px;
  display: inline-block;
  position: relative;
  font: var(--notification-center-font, 400 .9375rem/1.45 system-ui, sans-serif);
  text-align: start;
}
:host([theme="light"]) { color-scheme: light; }
:host([theme="dark"]) { color-scheme: dark; }
:host([mode="page"]) { display: block; }
:host([hidden]), [hidden] { display: none !important; }
* { box-sizing: border-box; }
h2, p, ol, ul, fieldset { margin: 0; padding: 0; border: 0; min-width: 0; }
ol, ul { list-style: none; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
:focus-visible { outline: 2px solid var(--_accent); outline-offset: 2px; }
svg { display: block; width: 20px; height: 20px; fill: none; stroke: currentColor; stroke-width: 1.75; stroke-linecap: round; stroke-linejoin: round; }

button, select, input, .button {
  min-height: var(--_target);
  max-width: 100%;
  padding: 4px 12px;
  border: 1px solid var(--_border);
  border-radius: 8px;
  background: var(--_ground);
  color: inherit;
  font: inherit;
  font-size: .8125rem;
  font-weight: 500;
  text-decoration: none;
  cursor: pointer;
}
button:hover, select:hover, .button:hover { background: var(--_hover); }
.icon, .bell { display: grid; place-items: center; width: var(--_target); height: var(--_target); padding: 0; border: 0; background: none; color: var(--_quiet); }
.icon:hover, .icon[aria-expanded="true"] { color: var(--_text); background: var(--_hover); }

.bell { position: relative; width: 44px; height: 44px; border-radius: 50%; color: inherit; }
.bell:hover { background: color-mix(in srgb, currentColor 9%, transparent); }
.bell svg { width: 24px; height: 24px; }
.badge { position: absolute; inset-block-start: 2px; inset-inline-start: 24px; min-width: 20px; padding-inline: 5px; border-radius: 10px; background: var(--_badge); color: #fff; font-size: .6875rem; font-weight: 700; line-height: 20px; text-align: center; }

[part="panel"] { display: flex; flex-direction: column; background: var(--_ground); color: var(--_text); border: 1px solid var(--_border); border-radius: var(--_radius); outline: 0; overflow: hidden; }
.popover { position: fixed; z-index: 1000; inset: auto; width: var(--notification-center-width, 27rem); max-width: calc(100vw - 16px); height: var(--notification-center-height, 40rem); margin: 0; padding: 0; box-shadow: var(--notification-center-shadow, 0 2px 6px rgb(10 15 40 / 8%), 0 16px 48px rgb(10 15 40 / 18%)); }
.header { display: flex; align-items: center; gap: 4px; padding-block: 10px 6px; padding-inline: 18px 10px; }
h2 { flex: 1; overflow: hidden; text-overflow: ellipsis; font-size: 1.125rem; font-weight: 650; }
.header .tools { display: flex; gap: 2px; }
.inbox, .preferences { flex: 1; display: flex; flex-direction: column; min-height: 0; }
.bar { display: flex; align-items: center; justify-content: flex-end; gap: 8px; padding: 0 14px 10px; border-block-end: 1px solid var(--_border); }
[part="back"]:dir(rtl) svg { scale: -1 1; }
.tabs { flex: 1; display: flex; gap: 4px; padding: 4px; margin: -4px; overflow-x: auto; scrollbar-width: none; }
.tabs button { flex: none; display: inline-flex; gap: 6px; align-items: center; border-color: transparent; border-radius: 99px; background: none; color: var(--_quiet); }
.tabs button:hover { color: var(--_text); }
.tabs button[aria-pressed="true"] { background: var(--_text); color: var(--_ground); }
.tabs b { font-weight: 500; }
select { padding-inline: 8px; }

.scroller { position: relative; flex: 1; overflow-y: auto; overscroll-behavior: contain; outline: 0; }
li[part] { position: relative; padding-block: 12px 8px; padding-inline: 30px 14px; border-block-end: 1px solid var(--_border); scroll-margin-block: 48px; }
li[part]:hover { background: var(--_hover); }
li[part]:focus-visible { outline-offset: -2px; }
.unread { background: var(--_unread); }
.unread::before { content: ""; position: absolute; inset-block-start: 18px; inset-inline-start: 13px; width: 8px; height: 8px; border-radius: 50%; background: var(--_accent); }
.title, .body { overflow-wrap: anywhere; }
.unread .title { font-weight: 600; }
.title a { color: inherit; text-decoration: none; }
.title a::after { content: ""; position: absolute; inset: 0; }
.title a:focus-visible { outline: 0; }
.title a:focus-visible::after { outline: 2px solid var(--_accent); outline-offset: -3px; border-radius: 8px; }
.body { margin-block-start: 2px; color: var(--_quiet); white-space: pre-line; display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 4; overflow: hidden; }
.page .body, li.more .body { -webkit-line-clamp: none; }
.actions, .drawer, form { display: flex; flex-wrap: wrap; gap: 8px; align-items: end; }
.actions, .drawer { position: relative; width: fit-content; }
.actions:not(:empty), .drawer { margin-block-start: 8px; }
.actions > :first-child:not([aria-disabled]) { background: var(--_accent); border-color: var(--_accent); color: var(--_accent-text); }
.button { display: inline-grid; align-items: center; }
[aria-disabled] { cursor: default; color: var(--_quiet); }
.meta { display: flex; flex-wrap: wrap; align-items: center; gap: 0 8px; min-height: var(--_target); color: var(--_quiet); font-size: .8125rem; }
.meta .hot + *::before { content: "·"; margin-inline-end: 8px; }
.hot { color: light-dark(#b3172e, #ff9aa6); font-weight: 600; }
.meta .tools { position: relative; display: flex; margin-inline-start: auto; }
.drawer small { display: block; color: var(--_quiet); font-weight: 400; }
.drawer ul { flex-basis: 100%; padding-inline-start: 12px; border-inline-start: 2px solid var(--_border); color: var(--_quiet); font-size: .8125rem; }

.pill { position: sticky; z-index: 1; inset-block-start: 10px; display: block; width: fit-content; height: 32px; margin: 0 auto -32px; border: 0; border-radius: 99px; background: var(--_accent); color: var(--_accent-text); box-shadow: 0 4px 14px rgb(0 0 0 / 22%); }
.pill:hover { background: var(--_accent); }
.scroller > .more { display: block; margin: 12px auto; }
.note { display: grid; justify-items: center; gap: 12px; color: var(--_quiet); text-align: center; }
.note:not(:empty) { padding: 36px 24px; }
.calm { order: -1; display: grid; place-items: center; width: 72px; height: 72px; border-radius: 50%; background: var(--_hover); }
.calm svg { width: 32px; height: 32px; }
.bone { width: 100%; height: 52px; border-radius: 10px; background: var(--_hover); }
.notice { display: flex; align-items: center; justify-content: space-between; gap: 12px; margin: 10px; padding: 8px 8px 8px 16px; border-radius: 10px; background: var(--_text); color: var(--_ground); }
.notice button { border: 0; background: none; color: inherit; text-decoration: underline; }
.footer { padding: 10px; border-block-start: 1px solid var(--_border); text-align: center; font-size: .875rem; }
.footer a { color: var(--_accent); display: inline-block; padding: 4px 12px; }

.preferences { gap: 20px; padding: 8px 18px 18px; overflow-y: auto; }
legend { padding: 0; font-weight: 600; }
fieldset p, .field small { color: var(--_quiet); font-size: .8125rem; }
.fields { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); align-items: start; gap: 10px 14px; margin-block-start: 8px; }
.field { display: grid; gap: 3px; font-size: .8125rem; color: var(--_quiet); }
.field b { display: flex; align-items: center; gap: 6px; min-height: var(--_target); color: var(--_text); }
form.fields { align-items: end; }
fieldset > button { margin-block-start: 8px; }
.field :is(select, input) { width: 100%; color: var(--_text); }
details { margin-block-start: 10px; }
details fieldset { margin: 10px 0 0; padding-inline-start: 14px; border-inline-start: 2px solid var(--_border); }
summary { min-height: 24px; cursor: pointer; color: var(--_accent); font-size: .8125rem; }

@media (hover: hover) {
  .meta .tools { opacity: 0; }
  li:is(:hover, :focus-within) .tools { opacity: 1; }
}
@media (pointer: coarse) {
  :host { --_target: 44px; }
}
@media (max-width: 480px) {
  .popover { inset: 0 !important; width: 100%; max-width: none; height: 100%; max-height: none !important; border: 0; border-radius: 0; }
  .header { gap: 0; padding-inline: 14px 6px; }
  h2 { font-size: 1rem; }
}
@media (forced-colors: active) {
  .unread::before { background: Highlight; forced-color-adjust: none; }
  [aria-pressed="true"] { outline: 2px solid; outline-offset: -2px; }
}
@media (prefers-reduced-motion: no-preference) {
  .ring svg { animation: ring .7s ease; transform-origin: 50% 15%; }
  .popover:not([hidden]) { animation: rise .16s ease-out; }
  .bone { animation: breathe 1.2s infinite alternate; }
  @keyframes ring { 20% { rotate: 15deg; } 45% { rotate: -12deg; } 70% { rotate: 7deg; } }
  @keyframes rise { from { opacity: 0; translate: 0 -6px; } }
  @keyframes breathe { to { opacity: .45; } }
}
`);
