// Puts a key on a machine, or takes it off: over another login that works.
import { Button } from "@mantine/core";
import { useAction } from "../../api/action";
import { post } from "../../api/call";
import type { KeyMachine } from "../../api/schema";

/** Has the machine itself let the key in, or no more, over another login that works. */
export function DeployKey({ link }: { link: KeyMachine }) {
  const where = { path: { id: link.key_id, machine_id: link.machine_id } };
  const put = useAction(() => post("/keys/{id}/machines/{machine_id}/deploy", where), {
    changes: ["key"],
    done: ({ changed, way }) => `${changed ? "The machine lets the key in now" : "It was let in already"}: ${way}.`,
  });
  const take = useAction(() => post("/keys/{id}/machines/{machine_id}/withdraw", where), {
    changes: ["key"],
    done: ({ changed, way }) => `${changed ? "The machine lets the key in no more" : "It was not let in"}: ${way}.`,
  });
  return (
    <>
      <Button size="xs" variant="subtle" loading={put.isPending} onClick={() => put.mutate()}>
        Put on the machine
      </Button>
      <Button size="xs" variant="subtle" loading={take.isPending} onClick={() => take.mutate()}>
        Take off the machine
      </Button>
    </>
  );
}
