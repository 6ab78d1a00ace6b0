// Orders a command: what, on which machines, how many at once.
import { Alert, Button, Group, MultiSelect, NumberInput, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQueries } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { useAction } from "../../api/action";
import { ApiError, get, post } from "../../api/call";
import { useOne } from "../../api/lists";
import { useMay } from "../../api/me";
import { Failure } from "../../components/Failure";
import { PageHeader } from "../../components/PageHeader";
import { plural } from "../../format/bytes";

/** So many of the machines that match are offered to choose from; typing more finds the others. */
const OFFERED = 30;

export default function RunCommand() {
  const navigate = useNavigate();
  const mayRun = useMay("admin");
  const { machines } = useSearch({ strict: false }) as { machines?: string };
  const [script, setScript] = useState("");
  const [chosen, setChosen] = useState<string[]>(machines ? String(machines).split(",") : []);
  const [tag, setTag] = useState("");
  const [parallel, setParallel] = useState<string | number>(50);
  const [minutes, setMinutes] = useState<string | number>(10);
  const run = useAction(
    () =>
      post(
        "/commands",
        {},
        {
          script,
          machine_ids: chosen,
          tag: tag || null,
          parallel: Number(parallel) || null,
          timeout_seconds: (Number(minutes) || 10) * 60,
        },
      ),
    {
      changes: ["command"],
      quiet: true,
      after: (command) => void navigate({ to: `/commands/${command.id}` }),
    },
  );
  if (!mayRun) return <Failure error={new ApiError(403, "forbidden", "")} />;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    run.mutate();
  };
  return (
    <>
      <PageHeader
        title="Run a command"
        about="Over SSH with the keys of each machine, or by its backend's own way. It has no input."
      />
      <form onSubmit={submit} className="panel" style={{ maxWidth: 760, padding: 20 }}>
        <Stack>
          <Textarea
            label="Command"
            description="A line or more for the machine's sh, or a script that begins with #!"
            placeholder="uptime; df -h /"
            required
            autosize
            minRows={3}
            maxRows={20}
            spellCheck={false}
            styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
            value={script}
            onChange={(event) => setScript(event.currentTarget.value)}
          />
          <ChosenMachines chosen={chosen} onChange={setChosen} />
          <WithTag tag={tag} onChange={setTag} />
          <Group grow align="flex-start">
            <NumberInput
              label="On how many at once"
              min={1}
              max={200}
              value={parallel}
              onChange={setParallel}
            />
            <NumberInput
              label="Ended after"
              description="Minutes, on each machine."
              min={1}
              max={1440}
              value={minutes}
              onChange={setMinutes}
            />
          </Group>
          {run.error && (
            <Alert color="red" role="alert">
              {run.error.message}
            </Alert>
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={() => void navigate({ to: "/commands" })}>
              Leave it
            </Button>
            <Button type="submit" loading={run.isPending} disabled={chosen.length === 0 && tag === ""}>
              Run it
            </Button>
          </Group>
        </Stack>
      </form>
    </>
  );
}

/** Machines by name: those that are chosen already, and those that match what is typed. */
function ChosenMachines({ chosen, onChange }: { chosen: string[]; onChange: (ids: string[]) => void }) {
  const [text, setText] = useState("");
  const [search] = useDebouncedValue(text.trim(), 200);
  const found = useOne("machine", "/machines", { query: { search, limit: OFFERED } });
  const known = useQueries({
    queries: chosen.map((id) => ({
      queryKey: ["machine", "one", "/machines/{id}", { id }, undefined],
      queryFn: () => get("/machines/{id}", { path: { id } }),
    })),
  });
  const names = new Map<string, string>();
  for (const machine of found.data?.items ?? []) names.set(machine.id, machine.name);
  for (const one of known) if (one.data) names.set(one.data.id, one.data.name);
  for (const id of chosen) if (!names.has(id)) names.set(id, id);
  return (
    <MultiSelect
      label="Machines"
      description="Or choose them in the table of machines, and run it from there."
      placeholder={chosen.length > 0 ? "" : "Type a name, an address or a tag"}
      searchable
      clearable
      searchValue={text}
      onSearchChange={setText}
      // What the server found is what matches, also where it is not the name that does.
      filter={({ options }) => options}
      value={chosen}
      onChange={onChange}
      data={[...names].map(([value, label]) => ({ value, label }))}
      nothingFoundMessage="No machine matches."
      maxDropdownHeight={260}
    />
  );
}

function WithTag({ tag, onChange }: { tag: string; onChange: (tag: string) => void }) {
  const [asked] = useDebouncedValue(tag.trim(), 300);
  const found = useOne("machine", "/machines", { query: { tag: asked, limit: 1000 } }, asked !== "");
  const some = found.data?.items ?? [];
  const names = some.slice(0, 5).map((machine) => machine.name);
  const more = found.data?.next ? "more than a thousand" : plural(some.length, "machine");
  return (
    <div>
      <TextInput
        label="And all with the tag"
        value={tag}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
      {asked !== "" && found.data && (
        <Text size="xs" c="dimmed" mt={4} aria-live="polite">
          {more}
          {names.length > 0 && `: ${names.join(", ")}${some.length > names.length ? " and so on" : ""}`}
        </Text>
      )}
    </div>
  );
}
