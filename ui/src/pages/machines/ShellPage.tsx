// A terminal on a machine, over a WebSocket.
import "@xterm/xterm/css/xterm.css";
import { Alert, Button } from "@mantine/core";
import { FitAddon } from "@xterm/addon-fit";
import { Terminal } from "@xterm/xterm";
import { useParams } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { urlOf } from "../../api/call";
import { useOne } from "../../api/lists";
import { GoTo } from "../../components/GoTo";
import { PageHeader } from "../../components/PageHeader";

/** What the server says in text messages; what the terminal shows comes in binary ones. */
type Notice = { type: "opened" } | { type: "ended"; status: number } | { type: "failed"; message: string };

export default function ShellPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const { data: machine } = useOne("machine", "/machines/{id}", { path: { id } });
  const [turn, setTurn] = useState(0);
  const [over, setOver] = useState<string>();
  const again = () => {
    setOver(undefined);
    setTurn(turn + 1);
  };
  const about = machine && (
    <>
      On <GoTo to={`/machines/${id}`}>{machine.name}</GoTo>. That it was opened is in the audit log, what is typed is not.
    </>
  );
  return (
    <>
      <PageHeader title="Shell" about={about}>
        {over !== undefined && <Button onClick={again}>Open it again</Button>}
      </PageHeader>
      {over !== undefined && (
        <Alert color="gray" mb="sm" role="status">
          {over}
        </Alert>
      )}
      <Screen key={turn} id={id} onEnd={setOver} />
    </>
  );
}

function Screen({ id, onEnd }: { id: string; onEnd: (why: string) => void }) {
  const place = useRef<HTMLDivElement>(null);
  const ended = useRef(onEnd);
  ended.current = onEnd;
  useEffect(() => {
    if (!place.current) return;
    const terminal = new Terminal({ cursorBlink: true, fontSize: 14, screenReaderMode: true, theme: { background: "#12171a" } });
    const fit = new FitAddon();
    terminal.loadAddon(fit);
    terminal.open(place.current);
    fit.fit();
    const close = connect(id, terminal, (why) => ended.current(why));
    const watch = new ResizeObserver(() => fit.fit());
    watch.observe(place.current);
    terminal.focus();
    return () => {
      watch.disconnect();
      close();
      terminal.dispose();
    };
  }, [id]);
  return <section className="terminal" ref={place} aria-label="Terminal" />;
}

/** Joins a terminal with the machine; what it gives ends that. */
function connect(id: string, terminal: Terminal, end: (why: string) => void): () => void {
  const query = { columns: terminal.cols, rows: terminal.rows };
  const url = new URL(urlOf("/machines/{id}/shell", { path: { id }, query }), window.location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  const encoder = new TextEncoder();
  let why = "The line was lost.";
  const send = (data: string | Uint8Array<ArrayBuffer>) => {
    if (socket.readyState === WebSocket.OPEN) socket.send(data);
  };
  socket.onmessage = ({ data }: MessageEvent<ArrayBuffer | string>) => {
    if (typeof data !== "string") return terminal.write(new Uint8Array(data));
    const notice = JSON.parse(data) as Notice;
    if (notice.type === "ended") why = `The shell has ended with status ${notice.status}.`;
    if (notice.type === "failed") why = notice.message;
  };
  socket.onclose = () => end(why);
  terminal.onData((text) => send(encoder.encode(text)));
  terminal.onBinary((text) => send(Uint8Array.from(text, (letter) => letter.charCodeAt(0))));
  terminal.onResize(({ cols, rows }) => send(JSON.stringify({ type: "resize", columns: cols, rows })));
  return () => {
    socket.onclose = null;
    socket.close();
  };
}
