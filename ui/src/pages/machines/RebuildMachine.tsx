// A lost machine made anew: on any backend, with an agent, and a backup restored onto it; first the plan.
import { Checkbox, Loader, TextInput } from "@mantine/core";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useAction } from "../../api/action";
import { post } from "../../api/call";
import { useAll, useOne } from "../../api/lists";
import type { NewMachine, NewRebuild, RebuildPlan } from "../../api/schema";
import { Facts } from "../../components/Facts";
import { Failure } from "../../components/Failure";
import { GoTo } from "../../components/GoTo";
import { PageHeader } from "../../components/PageHeader";
import { OrderChoices } from "./OrderChoices";
import { OrderPlan } from "./OrderPlan";
import { PlannedForm } from "./PlannedForm";

export default function RebuildMachine() {
  const { id } = useParams({ strict: false }) as { id: string };
  const navigate = useNavigate();
  const backup = useOne("backup", "/backups/{id}", { path: { id } });
  const backends = useAll("backend", "/backends");
  const keys = useAll("key", "/keys");
  const [machine, setMachine] = useState<Partial<NewMachine>>({ quantity: 1 });
  const [path, setPath] = useState("/");
  const [protect, setProtect] = useState(true);
  const order = (): NewRebuild => ({
    machine: { ...machine, networks: machine.networks ?? [] } as NewMachine,
    backup_id: Number(id),
    path,
    protect,
  });
  const plan = useAction(() => post("/machines/rebuild/plan", {}, order()), { changes: [], quiet: true });
  const rebuild = useAction(() => post("/machines/rebuild", {}, order()), {
    changes: ["machine", "job", "agent", "restore"],
    quiet: true,
    after: (job) => void navigate({ to: `/jobs/${job.id}` as "/" }),
  });
  if (backup.error) return <Failure error={backup.error} retry={() => void backup.refetch()} />;
  if (!backup.data) return <Loader aria-label="Reading the backup" />;
  const changed = <T,>(set: (value: T) => void) => (value: T) => {
    plan.reset();
    set(value);
  };
  const about = (
    <>
      A new machine with <GoTo to={`/backups/${id}`}>{backup.data.name}</GoTo> restored onto it. Nothing is ordered
      before you have seen the plan.
    </>
  );
  return (
    <>
      <PageHeader title="Rebuild a machine" about={about} />
      <PlannedForm plan={plan} deed={rebuild} send="Rebuild it" shown={(told) => <Plan plan={told} />}>
        <OrderChoices
          draft={machine}
          change={(part) => changed(setMachine)({ ...machine, ...part })}
          backends={backends.data ?? []}
          keys={keys.data ?? []}
          single
        />
        <TextInput
          label="Files go under"
          description="/ puts them where they were. What belongs to one machine alone is left out."
          required
          value={path}
          onChange={(event) => changed(setPath)(event.currentTarget.value)}
        />
        <Checkbox
          label="Back the new machine up, too"
          checked={protect}
          onChange={(event) => changed(setProtect)(event.currentTarget.checked)}
        />
      </PlannedForm>
    </>
  );
}

function Plan({ plan }: { plan: RebuildPlan }) {
  const mono = (lines: string[]) => lines.length > 0 && <span className="mono">{lines.join(", ")}</span>;
  return (
    <>
      <OrderPlan plan={plan.machine} />
      <Facts
        facts={[
          ["Restores", plan.backup_name],
          ["Under", mono([plan.path])],
          ["Only", mono(plan.inclusions)],
          ["But for", mono(plan.exclusions)],
          ["Then", plan.protect ? "It is backed up every night" : "It has an agent, and no configuration"],
        ]}
      />
    </>
  );
}
