// Protects a machine by a click: the plan first, then the job that puts an agent there; or the line for who can log in.
import { Alert, Button, type ButtonProps, Checkbox, Code, Group, Loader, Stack, Text, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useAction } from "../../api/action";
import { post } from "../../api/call";
import type { Machine, ProtectionPlan } from "../../api/schema";
import { CopyLine } from "../../components/CopyLine";
import { Dialog } from "../../components/Dialog";
import { Facts } from "../../components/Facts";
import { When } from "../../components/When";
import { bytes } from "../../format/bytes";
import { tellSchedule } from "../configurations/schedule";

export function Protect({ machine, ...button }: ButtonProps & { machine: Pick<Machine, "id" | "name"> }) {
  const title = `Protect ${machine.name}`;
  return (
    <Dialog variant="light" {...button} label="Protect" called={title} title={title} wide>
      {(close) => <Steps id={machine.id} onClose={close} />}
    </Dialog>
  );
}

function Steps({ id, onClose }: { id: string; onClose: () => void }) {
  const where = { path: { id } };
  const navigate = useNavigate();
  const [start, setStart] = useState(true);
  const [folder, setFolder] = useState<string>();
  // The server logs in to find out what is there: that is asked once, and not again when the window is focused.
  const plan = useQuery({
    queryKey: ["machine", "protection-plan", id, folder],
    queryFn: () => post("/machines/{id}/protect/plan", where, { folder }),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    retry: false,
  });
  const protect = useAction(() => post("/machines/{id}/protect", where, { start, folder }), {
    changes: ["job"],
    quiet: true,
    after: (job) => void navigate({ to: `/jobs/${job.id}` as "/" }),
  });
  if (plan.isFetching) {
    return (
      <Group>
        <Loader size="sm" aria-label="Reading what is there" />
        <Text size="sm">The server logs in to the machine, to see what is there.</Text>
      </Group>
    );
  }
  return (
    <Stack>
      {plan.error && <ByHand why={plan.error.message} />}
      {plan.data && (
        <>
          <Plan plan={plan.data} />
          <Folder folder={folder} onChange={setFolder} />
          <Checkbox
            label="Start the first backup at once"
            checked={start}
            onChange={(event) => setStart(event.currentTarget.checked)}
          />
        </>
      )}
      {protect.error && (
        <Alert color="red" role="alert">
          {protect.error.message}
        </Alert>
      )}
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          Leave it
        </Button>
        {plan.data && (
          <Button loading={protect.isPending} onClick={() => protect.mutate()}>
            Protect it
          </Button>
        )}
      </Group>
    </Stack>
  );
}

function Plan({ plan }: { plan: ProtectionPlan }) {
  const mono = (lines: string[]) => <span className="mono">{lines.join(", ")}</span>;
  const program = `${plan.program}, ${bytes(plan.program_bytes)}`;
  return (
    <Facts
      facts={[
        ["The server gets there", plan.way],
        ["Puts its program to", program],
        ["The agent's folder", mono([plan.folder])],
        ["An agent is there", plan.agent_id && "It stays, and gets the server's version."],
        ["Backs up", mono(plan.inclusions)],
        ["Leaves out", mono(plan.exclusions)],
        ["Runs", `${tellSchedule(plan.schedule)}, ${plan.timezone}`],
      ]}
    />
  );
}

/** One folder for all, where nobody is to be root. */
function Folder({ folder, onChange }: { folder?: string; onChange: (folder?: string) => void }) {
  const [text, setText] = useState(folder ?? "");
  return (
    <Group align="flex-end" gap="xs">
      <TextInput
        label="All in one folder"
        description="Needs no root, and touches nothing beside it; nothing starts the agent again with the machine."
        placeholder="Usual places"
        style={{ flex: 1 }}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <Button variant="default" disabled={text === (folder ?? "")} onClick={() => onChange(text || undefined)}>
        Plan anew
      </Button>
    </Group>
  );
}

/** Where the server cannot log in: a line for whoever can, or user data for a machine that is yet to be made. */
function ByHand({ why }: { why: string }) {
  const make = useAction(() => post("/agents/install", {}, {}), { changes: ["agent"], quiet: true });
  return (
    <Stack>
      <Alert color="yellow" title="The server cannot do it by itself">
        {why}
      </Alert>
      {make.error && <Alert color="red">{make.error.message}</Alert>}
      {make.data ? (
        <>
          <Text size="sm">Run this on the machine, as root:</Text>
          <CopyLine label="the command" text={make.data.command} />
          <details>
            <summary>User data for cloud-init</summary>
            <Code block tabIndex={0}>
              {make.data.cloud_init}
            </Code>
          </details>
          <Text size="sm" c="dimmed" component="div">
            Either lets one agent in, once, and ends <When at={make.data.expires_at} />.
          </Text>
        </>
      ) : (
        <Group>
          <Button variant="light" loading={make.isPending} onClick={() => make.mutate()}>
            Make a command to run there
          </Button>
        </Group>
      )}
    </Stack>
  );
}
