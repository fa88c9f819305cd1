import { trace } from '@opentelemetry/api';
import { type Breaker, BreakerOpenError } from '@starr/policies';
import { fieldOf } from '../fault-routes.ts';
import { type Answer, BadRequest } from '../http-server.ts';
import { type Log, errorFields } from '../log.ts';
import { postJson } from '../post-json.ts';
import type { OrderStore } from './order-store.ts';
import type { SessionStore } from './session-store.ts';

const PAYMENT_WITHIN_MS = 1000;
const JOB_WITHIN_MS = 500;

export interface Dependencies {
  readonly orders: OrderStore;
  readonly sessions: SessionStore;
  readonly payments: { readonly url: string; readonly breaker: Breaker };
  readonly worker: { readonly url: string; readonly breaker: Breaker };
  readonly log: Log;
}

interface Checkout {
  readonly customerId: number;
  readonly amountCents: number;
}

/** What a checkout does, in order. Each step may fail, and the user is told which. */
export async function placeOrder(body: unknown, use: Dependencies): Promise<Answer> {
  const checkout = parseCheckout(body);
  const step = stepsOf(use.log);
  const session = await step('sessions', () => use.sessions.touch(checkout.customerId, []));
  if (session.kind === 'failed') return session.answer;
  const known = await step('orders', () => use.orders.hasCustomer(checkout.customerId));
  if (known.kind === 'failed') return known.answer;
  if (!known.value) return { status: 404, body: { error: 'no such customer' } };
  const placed = await step('orders', () => use.orders.place(checkout));
  if (placed.kind === 'failed') return placed.answer;
  const orderId = placed.value;
  const charged = await step('payments', () => charge(orderId, checkout, use.payments));
  if (charged.kind === 'failed') return charged.answer;
  const paid = await step('orders', () => use.orders.markPaid(orderId, charged.value));
  if (paid.kind === 'failed') return paid.answer;
  await sendReceipt(orderId, use);
  use.log.info('order placed', { order_id: orderId });
  return { status: 201, body: { orderId } };
}

type Step<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'failed'; readonly answer: Answer };

function stepsOf(log: Log) {
  return async <T>(dependency: string, act: () => Promise<T>): Promise<Step<T>> => {
    try {
      return { kind: 'done', value: await act() };
    } catch (error) {
      // An open breaker is a state, told once by its transition, not once a request as an error.
      const level = error instanceof BreakerOpenError ? 'warn' : 'error';
      log[level](`checkout failed at ${dependency}`, errorFields(error));
      noteOnSpan(dependency, error);
      return { kind: 'failed', answer: { status: 503, body: { error: dependency } } };
    }
  };
}

/** pg makes no span for a connection it does not get, so the request's own span must say why it failed. */
function noteOnSpan(dependency: string, error: unknown): void {
  const span = trace.getActiveSpan();
  span?.setAttribute('error.type', dependency);
  const { err = 'unknown error', code = 'Error' } = errorFields(error);
  span?.recordException({ name: code, message: err });
}

async function charge(
  orderId: number,
  { amountCents }: Checkout,
  { url, breaker }: Dependencies['payments'],
): Promise<string> {
  const answer = await breaker.run(() =>
    postJson(`${url}/charge`, { orderId, amountCents }, PAYMENT_WITHIN_MS),
  );
  return String(fieldOf(answer, 'paymentId'));
}

/** A receipt that cannot be queued is no reason to fail an order that is paid. */
async function sendReceipt(orderId: number, { worker, log }: Dependencies): Promise<void> {
  try {
    await worker.breaker.run(() =>
      postJson(`${worker.url}/jobs`, { kind: 'receipt', orderId }, JOB_WITHIN_MS),
    );
  } catch (error) {
    log.warn('receipt not queued', { ...errorFields(error), order_id: orderId });
  }
}

function parseCheckout(body: unknown): Checkout {
  const customerId = fieldOf(body, 'customerId');
  const amountCents = fieldOf(body, 'amountCents');
  if (!isPositive(customerId)) throw new BadRequest('"customerId" must be a positive whole number');
  if (!isPositive(amountCents))
    throw new BadRequest('"amountCents" must be a positive whole number');
  return { customerId, amountCents };
}

function isPositive(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}
