/** Event streams that a test answers, feeds and breaks by hand. */

export class FakeStreams {
  readonly made: FakeStream[] = [];

  readonly open = (signal: AbortSignal): Promise<Response> => {
    const stream = new FakeStream(signal);
    this.made.push(stream);
    return stream.response;
  };

  get last(): FakeStream {
    const last = this.made.at(-1);
    if (!last) throw new Error("no stream was opened");
    return last;
  }
}

export class FakeStream {
  readonly response: Promise<Response>;
  readonly signal: AbortSignal;
  readonly #encoder = new TextEncoder();
  #answer: (response: Response) => void = () => undefined;
  #fail: (error: Error) => void = () => undefined;
  #body: ReadableStreamDefaultController<Uint8Array> | null = null;

  constructor(signal: AbortSignal) {
    this.signal = signal;
    this.response = new Promise((resolve, reject) => {
      this.#answer = resolve;
      this.#fail = reject;
    });
    signal.addEventListener("abort", () => this.breaks());
  }

  /** The server answers; 200 begins the stream. */
  async accept(status = 200): Promise<void> {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#body = controller;
      },
    });
    this.#answer(new Response(body, { status }));
    await turns();
  }

  async says(text: string): Promise<void> {
    this.#body?.enqueue(this.#encoder.encode(text));
    await turns();
  }

  async data(data: unknown): Promise<void> {
    await this.says(`id: e1:1:0\ndata: ${JSON.stringify(data)}\n\n`);
  }

  async ends(code: number, reason: string): Promise<void> {
    await this.says(`event: end\nretry: 1\ndata: ${JSON.stringify({ code, reason })}\n\n`);
    this.#body?.close();
    await turns();
  }

  async breaks(): Promise<void> {
    this.#fail(new TypeError("network"));
    try {
      this.#body?.error(new TypeError("network"));
    } catch {
      // It ended before.
    }
    await turns();
  }
}

/** Let everything that waits for nothing but its turn happen. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
}
