// Makes a backup configuration.
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useAction } from "../../api/action";
import { post } from "../../api/call";
import { useMay } from "../../api/me";
import { PageHeader } from "../../components/PageHeader";
import { bodyOf, type Draft, newDraft } from "./draft";
import { Editor } from "./Editor";

export default function CreateConfiguration() {
  const navigate = useNavigate();
  const { agent } = useSearch({ strict: false }) as { agent?: number };
  const isAdmin = useMay("admin");
  const make = useAction(
    (draft: Draft) => post("/backup-configurations", {}, { ...bodyOf(draft, isAdmin), agent_id: draft.agent_id ?? 0 }),
    {
      changes: ["backup_configuration"],
      quiet: true,
      done: (configuration) => `${configuration.name} was made.`,
      after: (configuration) => void navigate({ to: `/configurations/${configuration.id}` }),
    },
  );
  return (
    <>
      <PageHeader
        title="New configuration"
        about="What is backed up, when, how long it is kept, and whom to tell."
      />
      <Editor
        start={newDraft(agent ?? null)}
        error={make.error}
        saving={make.isPending}
        onSave={(draft) => make.mutate(draft)}
        onLeave={() => void navigate({ to: "/configurations" })}
      />
    </>
  );
}
