// One backup configuration: what it says, its backups, and its change.
import { Button, Loader } from "@mantine/core";
import { useNavigate, useParams } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { useAction } from "../../api/action";
import { patch, post, remove } from "../../api/call";
import { useOne } from "../../api/lists";
import { useMay } from "../../api/me";
import { useAgentNames } from "../../api/names";
import type { BackupConfiguration, BackupOptions, Hook, Retention } from "../../api/schema";
import { ConfirmButton } from "../../components/ConfirmButton";
import { Facts } from "../../components/Facts";
import { Failure } from "../../components/Failure";
import { GoTo } from "../../components/GoTo";
import { PageHeader } from "../../components/PageHeader";
import { Section } from "../../components/Section";
import { StateBadge } from "../../components/StateBadge";
import { When } from "../../components/When";
import { bytes, plural } from "../../format/bytes";
import { BackupTable } from "../backups/BackupTable";
import { tellLimit } from "./bandwidth";
import { bodyOf, type Draft, draftOf } from "./draft";
import { tellDump } from "./dumps";
import { Editor } from "./Editor";
import { StartBackup } from "./StartBackup";
import { tellSchedule } from "./schedule";

export default function ConfigurationPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const found = useOne("backup_configuration", "/backup-configurations/{id}", { path: { id } });
  const [editing, setEditing] = useState(false);
  const isAdmin = useMay("admin");
  const save = useAction(
    (draft: Draft) => patch("/backup-configurations/{id}", { path: { id } }, bodyOf(draft, isAdmin)),
    {
      changes: ["backup_configuration"],
      quiet: true,
      done: "It was changed.",
      after: () => setEditing(false),
    },
  );
  if (found.error) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Loader aria-label="Reading the configuration" />;
  const configuration = found.data;
  if (editing) {
    const leave = () => setEditing(false);
    return (
      <>
        <PageHeader title={`Edit ${configuration.name}`} />
        <Editor
          start={draftOf(configuration)}
          id={configuration.id}
          error={save.error}
          saving={save.isPending}
          onSave={(draft) => save.mutate(draft)}
          onLeave={leave}
        />
      </>
    );
  }
  return (
    <>
      <PageHeader
        title={configuration.name}
        badge={configuration.enabled ? undefined : <StateBadge state="disabled" />}
      >
        <Actions configuration={configuration} onEdit={() => setEditing(true)} />
      </PageHeader>
      <Section title="What it says">
        <About configuration={configuration} />
      </Section>
      <Section title="Its backups" flush>
        <BackupTable query={{ configuration_id: configuration.id }} />
      </Section>
    </>
  );
}

function About({ configuration }: { configuration: BackupConfiguration }) {
  const agent = useAgentNames();
  const mono = (lines: string[]) =>
    lines.length > 0 ? <span className="mono">{lines.join(", ")}</span> : null;
  const told = [configuration.notify_failure && "failure", configuration.notify_success && "success"].filter(
    Boolean,
  );
  return (
    <Facts
      facts={[
        [
          "Agent",
          <GoTo key="a" to={`/agents/${configuration.agent_id}`}>
            {agent(configuration.agent_id)}
          </GoTo>,
        ],
        ["Backs up", mono(configuration.inclusions)],
        ["Dumps", mono((configuration.options?.dumps ?? []).map(tellDump))],
        ["Leaves out", mono(configuration.exclusions)],
        [
          "Runs",
          `${tellSchedule(configuration.schedule)}${configuration.schedule === "manual" ? "" : `, ${configuration.timezone}`}`,
        ],
        [
          "Next",
          configuration.next_runtime && (
            <>
              <When at={configuration.next_runtime} absolute /> (<When at={configuration.next_runtime} />)
            </>
          ),
        ],
        ["Only what matches", mono(configuration.options?.patterns ?? [])],
        ["Passes over", passed(configuration.options ?? {})],
        ["Sends", (configuration.options?.bandwidth ?? []).map(tellLimit).join("; ")],
        ...hooksOf(configuration.options ?? {}),
        ["Kept", tellRetention(configuration.retention)],
        [
          "Tells",
          told.length > 0 && configuration.notification_email
            ? `${configuration.notification_email}, of ${told.join(" and ")}`
            : "Nobody",
        ],
      ]}
    />
  );
}

function passed(options: BackupOptions): string {
  const { ignore_files = [], exclude_larger_than } = options;
  return [
    ignore_files.length > 0 && `what ${ignore_files.join(", ")} name`,
    options.one_file_system && "other file systems",
    options.exclude_caches && "caches",
    exclude_larger_than && `files larger than ${bytes(exclude_larger_than)}`,
  ]
    .filter(Boolean)
    .join(", ");
}

function hooksOf(options: BackupOptions): [string, ReactNode][] {
  const { pre, post, error } = options.hooks ?? {};
  const line = (hook?: Hook | null) => hook && <span className="mono">{hook.command}</span>;
  return [
    ["Runs before", line(pre)],
    ["Runs after", line(post)],
    ["Runs when it fails", line(error)],
  ];
}

function tellRetention(rules: Retention): string {
  const told = [
    rules.keep_last && `the newest ${rules.keep_last}`,
    rules.days && `all of ${plural(rules.days, "day")}`,
    rules.keep_daily && `the last of each of ${plural(rules.keep_daily, "day")}`,
    rules.keep_weekly && `${plural(rules.keep_weekly, "week")}`,
    rules.keep_monthly && `${plural(rules.keep_monthly, "month")}`,
    rules.keep_yearly && `${plural(rules.keep_yearly, "year")}`,
  ].filter(Boolean);
  return told.length > 0 ? told.join(", ") : "For ever";
}

function Actions({ configuration, onEdit }: { configuration: BackupConfiguration; onEdit: () => void }) {
  const navigate = useNavigate();
  const where = { path: { id: configuration.id } };
  const mayChange = useMay("creator");
  const mayDelete = useMay("admin");
  const turn = (on: boolean) =>
    on
      ? post("/backup-configurations/{id}/enable", where)
      : post("/backup-configurations/{id}/disable", where);
  const toggle = useAction(() => turn(!configuration.enabled), {
    changes: ["backup_configuration"],
    done: configuration.enabled ? "It is not started any more." : "It is started again.",
    undo: () => turn(configuration.enabled),
  });
  const forget = useAction(() => remove("/backup-configurations/{id}", where), {
    changes: ["backup_configuration"],
    done: `${configuration.name} was deleted.`,
    after: () => void navigate({ to: "/configurations" }),
  });
  return (
    <>
      {mayChange && configuration.enabled && (
        <StartBackup id={configuration.id} label="Start a backup" size="sm" variant="filled" />
      )}
      {mayChange && (
        <Button variant="default" onClick={onEdit}>
          Edit
        </Button>
      )}
      {mayChange && (
        <Button variant="default" loading={toggle.isPending} onClick={() => toggle.mutate()}>
          {configuration.enabled ? "Disable" : "Enable"}
        </Button>
      )}
      {mayDelete && (
        <ConfirmButton
          title={`Delete ${configuration.name}?`}
          plan="It runs no more. Its backups stay, can be restored, and are kept as its last rules say."
          confirm="Delete the configuration"
          typed={configuration.name}
          onConfirm={() => forget.mutate()}
        >
          Delete
        </ConfirmButton>
      )}
    </>
  );
}
