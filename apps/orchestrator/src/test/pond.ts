import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How the pond treats an act: at once; held before it takes place; held after, with the answer. */
export type Hold = 'none' | 'before-the-act' | 'before-the-answer';

/** A patient over HTTP: a pond with a level, which acts lower. It counts how often each operation really took place. */
export interface Pond extends AsyncDisposable {
  readonly url: string;
  level: number;
  /** Rises by so much whenever somebody looks; a cure that does not last. */
  risesBy: number;
  hold: Hold;
  /** Silent: looks are not answered either. */
  isSilent: boolean;
  /** How often each operation took place, by its id. */
  readonly effects: ReadonlyMap<string, number>;
  /** Acts that wait at the hold. */
  readonly held: number;
  readonly looks: number;
  /** Lets held acts go on; those whose caller is gone are dropped when they had not taken place. */
  release(): void;
}

interface Waiting {
  readonly request: IncomingMessage;
  readonly go: () => void;
}

export async function startPond(): Promise<Pond> {
  const effects = new Map<string, number>();
  let waiting: Waiting[] = [];
  const pond = {
    level: 0,
    risesBy: 0,
    hold: 'none' as Hold,
    isSilent: false,
    looks: 0,
    get held() {
      return waiting.length;
    },
  };
  const act = (id: string, by: number): void => {
    effects.set(id, (effects.get(id) ?? 0) + 1);
    pond.level -= by;
  };
  const wait = (request: IncomingMessage, go: () => void): void => {
    waiting.push({ request, go });
  };
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://pond');
    const id = url.searchParams.get('id') ?? '';
    const by = Number(url.searchParams.get('by') ?? '0');
    if (request.method === 'POST') {
      const { hold } = pond;
      if (hold === 'before-the-act') {
        wait(request, () => {
          act(id, by);
          reply(response, {});
        });
        return;
      }
      act(id, by);
      if (hold === 'before-the-answer')
        wait(request, () => {
          reply(response, {});
        });
      else reply(response, {});
    } else if (url.pathname === '/acts') {
      // While an act is held nobody knows whether it will take place.
      reply(response, { times: effects.get(id) ?? 0, held: waiting.length });
    } else {
      pond.looks += 1;
      if (pond.isSilent) return;
      pond.level += pond.risesBy;
      reply(response, { level: pond.level });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(pond, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    effects,
    release: () => {
      const all = waiting;
      waiting = [];
      for (const { request, go } of all) if (!request.socket.destroyed) go();
    },
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  });
}

function reply(response: ServerResponse, body: object): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
