import { html, raw } from 'hono/html';
import { formatDuration } from '../../src/base/duration.ts';
import type { RunningFill } from '../../src/cache/blob-fills.ts';
import type { AnswerCounts } from '../edge-metrics.ts';
import type { EdgeStatus, UpstreamStatus } from './edge-status.ts';
import { readableSize } from '../../src/base/readable-size.ts';
import { statusStyle } from './status-style.ts';

type Html = ReturnType<typeof html>;

/** Seconds after which a browser loads the page again. */
const refreshSeconds = 5;

/** The admin listener's front page: all of it made here, nothing loaded from elsewhere, and no script. */
export function statusPage(status: EdgeStatus): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta http-equiv="refresh" content="${refreshSeconds}" />
        <title>Wherry edge</title>
        <style>
          ${raw(statusStyle)}
        </style>
      </head>
      <body>
        <header>
          <h1>Wherry edge</h1>
          <nav>
            <a href="/metrics">metrics</a> <a href="/readyz">readiness</a> <a href="/status.json">json</a>
          </nav>
        </header>
        ${statusBody(status)}
      </body>
    </html>`;
}

function statusBody({
  answers,
  cache,
  fills,
  startedAt,
  upstreams,
  uptimeSeconds,
  version,
}: EdgeStatus): Html {
  const share = cache.maxBytes === 0 ? 0 : cache.bytes / cache.maxBytes;
  return html`<main>
    <section class="figures">
      ${figure('in the cache', readableSize(cache.bytes), `${cache.blobs} blobs`)}
      ${figure('of its budget', percent(share), readableSize(cache.maxBytes))}
      ${figure('hits', percent(hitRatio(answers)), `${totalOf(answers)} answers`)}
      ${figure('up', formatDuration(uptimeSeconds * 1000) || '0s', `since ${startedAt.slice(0, 16)}Z, ${version}`)}
    </section>
    <h2>Upstreams</h2>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th>name</th>
            <th>state</th>
            <th class="number">cached</th>
            <th class="number">hits</th>
            <th class="number">answers</th>
            <th>pulls left</th>
          </tr>
        </thead>
        <tbody>
          ${upstreams.map(upstreamRow)}
        </tbody>
      </table>
    </div>
    <h2>Running fills</h2>
    ${fills.length === 0 ? html`<p class="quiet">None.</p>` : fillTable(fills)}
  </main>`;
}

function figure(label: string, value: string, note: string): Html {
  return html`<div>
    <strong>${value}</strong>
    <span>${label}</span>
    <small>${note}</small>
  </div>`;
}

function upstreamRow({ answers, cachedBytes, name, rateLimits, state, url }: UpstreamStatus): Html {
  const isWell = state === 'answers' || state === 'not asked yet';
  const left = rateLimits.map(({ credential, limit }) => `${limit.remaining} (${credential})`).join(', ');
  return html`<tr>
    <td title="${url}">${name}</td>
    <td class="${isWell ? 'well' : 'ill'}">${state}</td>
    <td class="number">${readableSize(cachedBytes)}</td>
    <td class="number">${percent(hitRatio(answers))}</td>
    <td class="number">${totalOf(answers)}</td>
    <td>${left === '' ? '' : left}</td>
  </tr>`;
}

function fillTable(fills: readonly RunningFill[]): Html {
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          <th>blob</th>
          <th>from</th>
          <th>progress</th>
          <th class="number">waiting</th>
        </tr>
      </thead>
      <tbody>
        ${fills.map(
          ({ arrivedBytes, digest, repository, size, upstream, users }) =>
            html`<tr>
              <td><code>${digest.slice(0, 19)}</code></td>
              <td>${upstream}/${repository}</td>
              <td>
                <progress value="${arrivedBytes}" max="${size ?? arrivedBytes + 1}"></progress>
                ${readableSize(arrivedBytes)}${size === undefined ? '' : ` of ${readableSize(size)}`}
              </td>
              <td class="number">${users}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function totalOf(answers: AnswerCounts): number {
  return Object.values(answers).reduce((sum, count) => sum + count, 0);
}

/** Stale answers came from here, and joining a running fill cost no upstream request. */
function hitRatio(answers: AnswerCounts): number | undefined {
  const total = totalOf(answers);
  const here = (answers['hit'] ?? 0) + (answers['stale'] ?? 0) + (answers['collapsed'] ?? 0);
  return total === 0 ? undefined : here / total;
}

function percent(share: number | undefined): string {
  return share === undefined ? '–' : `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
}
