// Server-sent events, read from a stream of text.
// Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation

/** One message of the stream. */
export interface Message {
  id?: string;
  name: string;
  data: string;
}

/** Takes text as it comes and gives the messages that are whole. */
export class MessageReader {
  private rest = "";

  push(text: string): Message[] {
    const blocks = (this.rest + text).replaceAll("\r\n", "\n").split("\n\n");
    this.rest = blocks.pop() ?? "";
    return blocks.map(read).filter((message) => message.data !== "");
  }
}

function read(block: string): Message {
  const message: Message = { name: "message", data: "" };
  for (const line of block.split("\n")) {
    const [, field, value] = /^([^:]+): ?(.*)$/.exec(line) ?? [];
    if (field === "id") message.id = value;
    if (field === "event") message.name = value ?? "";
    if (field === "data") message.data += message.data ? `\n${value}` : value;
  }
  return message;
}
