// A restore in three steps: what, where to, and the plan that is then carried out.
import {
  Alert,
  Button,
  Group,
  List,
  Modal,
  PasswordInput,
  Radio,
  Select,
  Stack,
  Stepper,
  Text,
  TextInput,
} from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useNavigate } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { useAction } from "../../api/action";
import { get, post } from "../../api/call";
import { useAll } from "../../api/lists";
import { useIsSealed } from "../../api/names";
import { encryptPassword } from "../../api/password";
import type { Backup, NewRestore, OverwriteRule } from "../../api/schema";
import { plural } from "../../format/bytes";
import { DryRun } from "./DryRun";
import { effectOf, RULES } from "./rules";

interface Props {
  backup: Backup;
  /** Only these; everything when empty. */
  paths?: string[];
  label: string;
  icon: ReactNode;
}

export function RestoreWizard({ backup, paths = [], label, icon }: Props) {
  const [opened, { open, close }] = useDisclosure(false);
  return (
    <>
      <Button leftSection={icon} onClick={open}>
        {label}
      </Button>
      <Modal opened={opened} onClose={close} title={`Restore from ${backup.name}`} size="lg">
        <Steps backup={backup} paths={paths} />
      </Modal>
    </>
  );
}

interface Target {
  agent: number;
  aside: boolean;
  path: string;
  rule: OverwriteRule;
  /** Of a sealed vault, for another agent than its own. */
  password: string;
}

function Steps({ backup, paths }: { backup: Backup; paths: string[] }) {
  const navigate = useNavigate();
  const [step, setStep] = useState(0);
  const [target, setTarget] = useState<Target>({
    agent: backup.agent_id,
    aside: true,
    path: "/var/tmp/restored",
    rule: "never",
    password: "",
  });
  const needsPassword = useIsSealed(backup.vault_id) === true && target.agent !== backup.agent_id;
  const order = async () => {
    const key = needsPassword && (await get("/agents/{id}/key", { path: { id: target.agent } }));
    return {
      backup_id: backup.id,
      agent_id: target.agent,
      inclusions: paths,
      path: target.aside ? target.path : "/",
      overwrite_rule: target.rule,
      password: key ? await encryptPassword(key, target.password) : null,
    };
  };
  const start = useAction(async () => post("/restores", {}, await order()), {
    changes: ["restore", "activity"],
    quiet: true,
    after: (restore) => void navigate({ to: `/restores/${restore.id}` }),
  });
  return (
    <>
      <Stepper active={step} onStepClick={setStep} size="sm" allowNextStepsSelect={false}>
        <Stepper.Step label="What">
          <What paths={paths} />
        </Stepper.Step>
        <Stepper.Step label="Where to">
          <Where target={target} needsPassword={needsPassword} onChange={setTarget} />
        </Stepper.Step>
        <Stepper.Step label="Plan">
          <Plan backup={backup} paths={paths} target={target} order={order} />
          {start.error && (
            <Alert color="red" role="alert" mt="sm">
              {start.error.message}
            </Alert>
          )}
        </Stepper.Step>
      </Stepper>
      <Group justify="flex-end" mt="lg">
        {step > 0 && (
          <Button variant="default" onClick={() => setStep(step - 1)}>
            Back
          </Button>
        )}
        {step < 2 ? (
          <Button
            onClick={() => setStep(step + 1)}
            disabled={step === 1 && !isWhole(target, needsPassword)}
          >
            Next
          </Button>
        ) : (
          <Button loading={start.isPending} onClick={() => start.mutate()}>
            Restore
          </Button>
        )}
      </Group>
    </>
  );
}

function isWhole(target: Target, needsPassword: boolean): boolean {
  if (needsPassword && target.password === "") return false;
  return !target.aside || target.path.startsWith("/");
}

function What({ paths }: { paths: string[] }) {
  if (paths.length === 0)
    return (
      <Text size="sm">
        Everything in the backup. To choose files, browse the backup and choose them there.
      </Text>
    );
  return (
    <Stack gap="xs">
      <Text size="sm">
        {plural(paths.length, "chosen entry", "chosen entries")}, folders with everything in them:
      </Text>
      <List size="sm" className="mono" style={{ maxHeight: "30dvh", overflow: "auto" }}>
        {paths.map((path) => (
          <List.Item key={path}>{path}</List.Item>
        ))}
      </List>
    </Stack>
  );
}

interface WhereProps {
  target: Target;
  needsPassword: boolean;
  onChange: (target: Target) => void;
}

function Where({ target, needsPassword, onChange }: WhereProps) {
  const agents = useAll("agent", "/agents");
  return (
    <Stack>
      <Select
        label="Agent"
        description="The machine that the files go to."
        searchable
        allowDeselect={false}
        value={String(target.agent)}
        onChange={(agent) => onChange({ ...target, agent: Number(agent ?? target.agent) })}
        data={
          agents.data?.map((agent) => ({
            value: String(agent.id),
            label: agent.connected ? agent.name : `${agent.name} (disconnected)`,
          })) ?? []
        }
        error={agents.error?.message}
      />
      {needsPassword && (
        <PasswordInput
          label="The vault's password"
          description="The vault is sealed. The password is encrypted in this browser, to that agent."
          required
          autoComplete="off"
          value={target.password}
          onChange={(event) => onChange({ ...target, password: event.currentTarget.value })}
        />
      )}
      <Radio.Group
        label="Place"
        value={target.aside ? "aside" : "there"}
        onChange={(place) => onChange({ ...target, aside: place === "aside" })}
      >
        <Stack gap="xs" mt="xs">
          <Radio value="aside" label="Aside, under a folder of their own" />
          <Radio value="there" label="Where they were" />
        </Stack>
      </Radio.Group>
      {target.aside && (
        <TextInput
          label="Folder"
          description="An absolute path. Each file goes under it with its full path."
          value={target.path}
          onChange={(event) => onChange({ ...target, path: event.currentTarget.value })}
        />
      )}
      <Select
        label="Files that are there already"
        allowDeselect={false}
        value={target.rule}
        onChange={(rule) => onChange({ ...target, rule: rule ?? "never" })}
        data={RULES}
      />
    </Stack>
  );
}

interface PlanProps {
  backup: Backup;
  paths: string[];
  target: Target;
  order: () => Promise<NewRestore>;
}

function Plan({ backup, paths, target, order }: PlanProps) {
  const agents = useAll("agent", "/agents");
  const agent = agents.data?.find((one) => one.id === target.agent);
  const what =
    paths.length === 0
      ? `Everything of ${backup.name}`
      : `${plural(paths.length, "entry", "entries")} of ${backup.name}`;
  return (
    <Stack gap="sm">
      <Text size="sm">
        {what} will be written to <b>{agent?.name}</b>,{" "}
        {target.aside ? (
          <>
            under <code className="mono">{target.path}</code>
          </>
        ) : (
          "where it was"
        )}
        .
      </Text>
      <Text size="sm">
        {effectOf(target.rule)}
      </Text>
      {agent && !agent.connected && (
        <Alert color="yellow">This agent is not connected. The restore waits until it is.</Alert>
      )}
      {agent?.connected && <DryRun order={order} />}
    </Stack>
  );
}
