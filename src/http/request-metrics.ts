import type { Counter, Family, Gauge, Histogram, Metrics } from '../base/metrics.ts';
import type { Exchange } from './exchange.ts';
import type { ExchangeOutcome } from './exchange-outcome.ts';

/** From a warm manifest to a large blob on a thin line. */
const secondsBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120];

/** Clients may send any word as a method; labels may not be any word. */
const countedMethods = new Set(['GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS']);

/** Counts and times the requests of one listener. */
export class RequestMetrics {
  readonly #listener: string;
  readonly #requests: Family<Counter>;
  readonly #seconds: Family<Histogram>;
  readonly #bytesSent: Counter;
  readonly #inFlight: Gauge;
  readonly #requestsByLabels = new Map<string, Counter>();
  readonly #secondsByRoute = new Map<string, Histogram>();

  constructor(metrics: Metrics, listener: string) {
    this.#listener = listener;
    this.#requests = metrics.counter({
      name: 'wherry_http_requests_total',
      help: 'Requests that have ended.',
      labels: ['listener', 'method', 'route', 'status'],
    });
    this.#seconds = metrics.histogram({
      name: 'wherry_http_request_seconds',
      help: 'Time from the head of a request to the last byte of its answer.',
      labels: ['listener', 'route'],
      buckets: secondsBuckets,
    });
    const labels = ['listener'];
    this.#bytesSent = metrics
      .counter({ name: 'wherry_http_bytes_sent_total', help: 'Bytes of answer bodies.', labels })
      .with(listener);
    this.#inFlight = metrics
      .gauge({ name: 'wherry_http_requests_in_flight', help: 'Requests that have not ended.', labels })
      .with(listener);
  }

  began(): void {
    this.#inFlight.add(1);
  }

  ended(exchange: Exchange, outcome: ExchangeOutcome): void {
    this.#inFlight.add(-1);
    const method = exchange.request.method ?? '';
    this.#counterOf(countedMethods.has(method) ? method : 'other', exchange.route, outcome.status).add();
    this.#histogramOf(exchange.route).observe(outcome.durationMs / 1000);
    if (exchange.bytesSent > 0) this.#bytesSent.add(exchange.bytesSent);
  }

  #counterOf(method: string, route: string, status: number): Counter {
    const labels = `${method} ${route} ${status}`;
    let counter = this.#requestsByLabels.get(labels);
    if (counter === undefined) {
      counter = this.#requests.with(this.#listener, method, route, String(status));
      this.#requestsByLabels.set(labels, counter);
    }
    return counter;
  }

  #histogramOf(route: string): Histogram {
    let histogram = this.#secondsByRoute.get(route);
    if (histogram === undefined) {
      histogram = this.#seconds.with(this.#listener, route);
      this.#secondsByRoute.set(route, histogram);
    }
    return histogram;
  }
}
