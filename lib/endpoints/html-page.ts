/** Pages without scripts that a human opens from a message: everything in them is escaped unless it was written here. */
import { createHash } from 'node:crypto';
import type { HttpAnswer } from '#lib/runtime/http.ts';

/** What `html` made; nothing else is put into a page as it is. */
export interface Html {
  readonly markup: string;
}
type Value = string | number | Html | readonly Html[] | undefined;

const made = new WeakSet<object>();
const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
/** New lines and tabs stay; what turns the writing direction goes: a host's name must not read as another. */
const CONTROL = /[^\P{Cc}\n\t]+|[\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu;

/** A piece of a page: the template is taken as it is, the values are escaped, also inside of quoted attributes. */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Html {
  const markup = strings.reduce((text, string, index) => `${text}${markupOf(values[index - 1])}${string}`);
  const piece = { markup };
  made.add(piece);
  return piece;
}

function markupOf(value: Value): string {
  if (value === undefined) return '';
  if (Array.isArray(value)) return value.map((each: Html) => markupOf(each)).join('');
  if (typeof value === 'object' && made.has(value) && 'markup' in value) return value.markup;
  return escapeHtml(String(value));
}

function escapeHtml(text: string): string {
  return text
    .toWellFormed()
    .replace(CONTROL, ' ')
    .replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

/** A link only where it leads to a page of the web; else the words alone. Where it was clicked is not told there. */
export function linkTo(url: string | undefined, words: string): Html {
  return url !== undefined && URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)
    ? html`<a href="${url}" rel="noreferrer">${words}</a>`
    : html`${words}`;
}

const STYLE = `
:root{color-scheme:light dark;--paper:#fbfaf8;--card:#fff;--ink:#1d2126;--soft:#5c6570;--line:#e3e1dc;--link:#0b57b0;--good:#1a7f45;--wait:#9a6200;--bad:#b3261e;--plain:#4a5560}
@media (prefers-color-scheme:dark){:root{--paper:#14171b;--card:#1c2026;--ink:#e8e6e1;--soft:#9aa3ad;--line:#2f353d;--link:#7db5ff;--good:#5ac88a;--wait:#e5b04c;--bad:#ff8a80;--plain:#a7b0ba}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;overflow-wrap:anywhere}
main{max-width:46rem;margin:0 auto;padding:1.5rem 1rem 3rem}
a{color:var(--link)}
h1{font-size:1.4rem;line-height:1.25;margin:.2rem 0 .4rem}
h2{font-size:.8rem;font-weight:600;letter-spacing:.06em;text-transform:uppercase;color:var(--soft);margin:2rem 0 .6rem}
p{margin:.4rem 0}
small,.soft{color:var(--soft)}
code,pre{font:13px/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
pre{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.7rem .8rem;margin:.6rem 0;max-height:22rem;overflow:auto;white-space:pre-wrap}
.card{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:.8rem 1rem;margin:.8rem 0}
.end{border-left:.35rem solid var(--tone,var(--plain))}
.end b{color:var(--tone,var(--plain));font-size:1.1rem}
.good{--tone:var(--good)}.wait{--tone:var(--wait)}.bad{--tone:var(--bad)}.plain{--tone:var(--plain)}
.simulated{border:2px dashed var(--wait);color:var(--wait)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem;margin:0}
dt{color:var(--soft)}dd{margin:0}
ul{margin:.4rem 0;padding-left:1.2rem}
ol.way{list-style:none;margin:0;padding:0;border-left:2px solid var(--line)}
ol.way li{position:relative;padding:0 0 .8rem 1.1rem}
ol.way li::before{content:"";position:absolute;left:calc(-.3rem - 1px);top:.5rem;width:.6rem;height:.6rem;border-radius:50%;background:var(--tone,var(--plain))}
ol.way small{display:block;font-variant-numeric:tabular-nums}
/* What is longer than its box shows its end first, which nothing but a script could else do. */
pre.tail{display:flex;flex-direction:column-reverse}
summary{cursor:pointer;color:var(--soft)}
button{font:inherit;font-weight:600;padding:.6rem 1.4rem;margin:.3rem .8rem .3rem 0;border:1px solid var(--line);border-radius:.5rem;background:var(--card);color:var(--ink);cursor:pointer}
button.good{background:var(--good);border-color:var(--good);color:var(--card)}
input{font:inherit;width:100%;max-width:20rem;padding:.5rem .6rem;border:1px solid var(--line);border-radius:.5rem;background:var(--card);color:var(--ink)}
label{display:block;color:var(--soft)}
`;
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/** The answer: `body` below one `main`. Nothing is loaded, framed, run or kept; `forms` may be posted to us. */
export function htmlPage(
  status: number,
  title: string,
  body: Html,
  { forms = false, refreshSeconds }: { readonly forms?: boolean; readonly refreshSeconds?: number } = {},
): HttpAnswer {
  const refresh =
    refreshSeconds === undefined ? undefined : html`<meta http-equiv="refresh" content="${refreshSeconds}">`;
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="robots" content="noindex">${refresh}
<title>${title}</title>`;
  return {
    status,
    html: `${page.markup}<style>${STYLE}</style></head><body><main>\n${body.markup}\n</main></body></html>\n`,
    headers: {
      'Content-Security-Policy': [
        "default-src 'none'",
        `style-src 'sha256-${STYLE_HASH}'`,
        "base-uri 'none'",
        `form-action ${forms ? "'self'" : "'none'"}`,
        "frame-ancestors 'none'",
      ].join('; '),
      'Referrer-Policy': 'no-referrer',
    },
  };
}
