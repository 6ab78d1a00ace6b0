import { expect, test } from "vitest";
import { MessageReader } from "./messages";

test("messages come whole, however the text is cut", () => {
  const text = 'id: 7\nevent: backup.changed\ndata: {"id":"3"}\n\n:\n\nid: 8\nevent: ready\ndata: {}\n\n';
  for (let cut = 0; cut <= text.length; cut += 1) {
    const reader = new MessageReader();
    const messages = [...reader.push(text.slice(0, cut)), ...reader.push(text.slice(cut))];
    expect(messages).toEqual([
      { id: "7", name: "backup.changed", data: '{"id":"3"}' },
      { id: "8", name: "ready", data: "{}" },
    ]);
  }
});

test("a message that is not whole is kept back", () => {
  const reader = new MessageReader();
  expect(reader.push("event: ready\ndata: {}\n")).toEqual([]);
  expect(reader.push("\n")).toEqual([{ name: "ready", data: "{}" }]);
});
