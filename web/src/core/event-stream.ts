/** Reads Server-Sent Events from an answer, as `GET /v1/inbox/stream` writes them. */

/** Call `hear` for each event; one that is only a comment (a heartbeat) has no data. Resolves at the end. */
export async function readEvents(
  body: ReadableStream<Uint8Array>,
  hear: (name: string, data: string) => void,
): Promise<void> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const events = (rest + value).split("\n\n");
    rest = events.pop() ?? "";
    for (const event of events) hear(field(event, "event"), field(event, "data"));
  }
}

function field(event: string, name: string): string {
  const start = `${name}: `;
  return (event.split("\n").find((line) => line.startsWith(start)) ?? "").slice(start.length);
}
