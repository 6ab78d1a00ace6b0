// An SMTP server that takes every mail (RFC 5321), so far as a sender of mail needs it.
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

export class Smtp {
  /** The commands that were heard. */
  readonly heard: string[] = [];
  /** The mails that were taken, headers and all. */
  readonly mails: string[] = [];

  private constructor(private readonly server: Server) {}

  static async start(): Promise<Smtp> {
    const server = createServer();
    const smtp = new Smtp(server);
    server.on("connection", (socket) => smtp.serve(socket));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return smtp;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async end(): Promise<void> {
    await new Promise((ended) => this.server.close(ended));
  }

  private serve(socket: Socket): void {
    let rest = "";
    let mail: string | undefined;
    socket.write("220 here\r\n");
    socket.on("error", () => socket.destroy());
    socket.on("data", (piece) => {
      const lines = (rest + piece.toString()).split("\r\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (mail !== undefined && line !== ".") {
          mail += `${line}\n`;
        } else if (mail !== undefined) {
          this.mails.push(mail);
          mail = undefined;
          socket.write("250 taken\r\n");
        } else {
          this.heard.push(line);
          mail = line === "DATA" ? "" : undefined;
          socket.write(line === "DATA" ? "354 go on\r\n" : line === "QUIT" ? "221 bye\r\n" : "250 well\r\n");
          if (line === "QUIT") socket.end();
        }
      }
    });
  }
}
