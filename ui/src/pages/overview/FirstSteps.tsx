// What to do on a server that has no backups yet, in order; what is done is ticked.
import { List, Text, ThemeIcon } from "@mantine/core";
import { IconCheck, IconCircle } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useAll, useOne } from "../../api/lists";
import { useMay } from "../../api/me";
import { ButtonLink } from "../../components/ButtonLink";
import { Section } from "../../components/Section";
import { Enrol } from "../agents/Enrol";
import { MasterKey } from "../settings/MasterKey";

export function FirstSteps() {
  const backends = useAll("backend", "/backends");
  const agents = useAll("agent", "/agents");
  const configurations = useAll("backup_configuration", "/backup-configurations");
  const mayMake = useMay("creator");
  const isAdmin = useMay("admin");
  const { data: setup } = useOne("setup", "/setup", {}, isAdmin);
  const has = (list?: unknown[]) => (list?.length ?? 0) > 0;
  return (
    <Section title="First steps">
      <List spacing="sm" center size="sm" listStyleType="none">
        {isAdmin && (
          <>
            <Step
              done={Boolean(setup?.password_changed_at)}
              title="Change the first password"
              hint={
                <>
                  It stands in <code className="mono">admin.json</code>, in the server's data folder; delete that file
                  then.
                </>
              }
              action={
                <ButtonLink to="/settings?tab=profile" size="xs" variant="light">
                  Change the password
                </ButtonLink>
              }
            />
            <Step
              done={Boolean(setup?.master_key_shown_at)}
              title="Keep the master key elsewhere"
              hint="Without it nothing sealed in the database can be read, not even from a copy of the server's state."
              action={<MasterKey />}
            />
          </>
        )}
        <Step
          done={has(backends.data)}
          title="Add a backend"
          hint="A cloud, a host or a single server, to see and drive its machines."
          action={
            mayMake && (
              <ButtonLink to="/backends/add" size="xs" variant="light">
                Add a backend
              </ButtonLink>
            )
          }
        />
        <Step
          done={has(agents.data)}
          title="Enrol an agent"
          hint="On the machine that is to be backed up."
          action={mayMake && <Enrol />}
        />
        <Step
          done={has(configurations.data)}
          title="Say what is backed up, and when"
          hint="Then start the first backup, and restore a file of it: only that proves it."
          action={
            mayMake && (
              <ButtonLink to="/configurations/create" size="xs" variant="light">
                New configuration
              </ButtonLink>
            )
          }
        />
      </List>
    </Section>
  );
}

interface StepProps {
  done: boolean;
  title: string;
  hint: ReactNode;
  action: ReactNode;
}

function Step({ done, title, hint, action }: StepProps) {
  const icon = (
    <ThemeIcon size={26} radius="xl" variant="light" color={done ? "green" : "gray"}>
      {done ? <IconCheck size={16} aria-label="Done" /> : <IconCircle size={12} aria-label="To do" />}
    </ThemeIcon>
  );
  return (
    <List.Item icon={icon}>
      <div className="step">
        <div>
          <Text fw={600} size="sm">
            {title}
          </Text>
          <Text size="sm" c="dimmed" component="div">
            {hint}
          </Text>
        </div>
        {!done && action}
      </div>
    </List.Item>
  );
}
