/** Readable on a phone and on a wall, by day and by night; no colour says something that the words do not. */
export const statusStyle = `
:root { --ink: #1c2733; --quiet: #5d6b7a; --line: #d8dee6; --paper: #fbfcfd; --panel: #ffffff; --well: #176c3c; --ill: #a3231c; --bar: #2f6fb3; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e3e9f0; --quiet: #93a1b1; --line: #2c3642; --paper: #11161c; --panel: #18202a; --well: #64c88f; --ill: #ff8a80; --bar: #6aa9e9; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 64rem; padding: 1.5rem 1rem 3rem; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
header { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; align-items: baseline; justify-content: space-between; }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
nav a { color: var(--bar); margin-right: .75rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: 1rem; margin-top: 1.25rem; }
.figures > div { background: var(--panel); border: 1px solid var(--line); border-radius: .5rem; padding: .75rem 1rem; display: grid; }
.figures strong { font-size: 1.5rem; font-variant-numeric: tabular-nums; }
.figures small, .quiet { color: var(--quiet); }
.scroll { overflow-x: auto; background: var(--panel); border: 1px solid var(--line); border-radius: .5rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .4rem .9rem; white-space: nowrap; }
th { color: var(--quiet); font-weight: 500; font-size: .875rem; }
tbody tr { border-top: 1px solid var(--line); }
.number { text-align: right; }
.well { color: var(--well); }
.ill { color: var(--ill); font-weight: 600; }
progress { width: 9rem; accent-color: var(--bar); vertical-align: middle; margin-right: .5rem; }
`;
