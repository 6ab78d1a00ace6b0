// Orders machines: chosen, then the plan with its price, then the job that makes them.
import { IconCloud } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useAction } from "../../api/action";
import { post } from "../../api/call";
import { useAll } from "../../api/lists";
import type { NewMachine } from "../../api/schema";
import { ButtonLink } from "../../components/ButtonLink";
import { EmptyState } from "../../components/EmptyState";
import { Failure } from "../../components/Failure";
import { PageHeader } from "../../components/PageHeader";
import { type Draft, OrderChoices } from "./OrderChoices";
import { OrderPlan } from "./OrderPlan";
import { PlannedForm } from "./PlannedForm";

export default function CreateMachine() {
  const backends = useAll("backend", "/backends");
  const keys = useAll("key", "/keys");
  const navigate = useNavigate();
  const [draft, setDraft] = useState<Draft>({ quantity: 1 });
  const order = { ...draft, networks: draft.networks ?? [] } as NewMachine;
  const plan = useAction(() => post("/machines/plan", {}, order), { changes: [], quiet: true });
  const make = useAction(() => post("/machines", {}, order), {
    changes: ["machine", "job"],
    quiet: true,
    done: "The order is taken.",
    after: (job) => void navigate({ to: `/jobs/${job.id}` as "/" }),
  });
  const change = (part: Draft) => {
    plan.reset();
    setDraft({ ...draft, ...part });
  };
  if (backends.error) return <Failure error={backends.error} retry={() => void backends.refetch()} />;
  if (backends.data?.length === 0) {
    const action = <ButtonLink to="/backends/add">Add a backend</ButtonLink>;
    return (
      <EmptyState
        icon={IconCloud}
        title="Machines need a backend"
        hint="Add the cloud or host that is to make them."
        action={action}
      />
    );
  }
  return (
    <>
      <PageHeader title="Create machines" about="Nothing is ordered before you have seen the plan." />
      <PlannedForm plan={plan} deed={make} send="Create them" shown={(order) => <OrderPlan plan={order} />}>
        <OrderChoices draft={draft} change={change} backends={backends.data ?? []} keys={keys.data ?? []} />
      </PlannedForm>
    </>
  );
}
