// Keeps what is shown true by the event stream, and says whether the line to the server is up.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { ME, Mender } from "../api/cache";
import { listen } from "../api/stream";

export function useLive(): boolean {
  const client = useQueryClient();
  const [up, setUp] = useState(true);
  useEffect(() => {
    const mender = new Mender(client);
    const end = new AbortController();
    let wasDown = false;
    listen((news) => {
      if (news.kind === "event") mender.take(news.event);
      if (news.kind === "resync") mender.resync();
      if (news.kind === "signed_out") client.setQueryData(ME, null);
      if (news.kind !== "link") return;
      setUp(news.up);
      if (news.up && wasDown) mender.resync();
      wasDown = !news.up;
    }, end.signal);
    return () => end.abort();
  }, [client]);
  return up;
}
