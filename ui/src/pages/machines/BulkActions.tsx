// Acts on chosen machines: first the plan, then how each one goes.
import { Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useMe } from "../../api/me";
import type { Machine } from "../../api/schema";
import { ButtonLink } from "../../components/ButtonLink";
import { Scrolled } from "../../components/Scrolled";
import { plural } from "../../format/bytes";
import { ACTIONS, type MachineAction, PROTECT } from "./actions";
import { eachOf, type Standing } from "./eachOf";

export function BulkActions({ machines, onDone }: { machines: Machine[]; onDone: () => void }) {
  const { data: me } = useMe();
  const [action, setAction] = useState<MachineAction>();
  const mine = [...ACTIONS, PROTECT].filter((one) => one.role === "creator" || me?.role === "admin");
  return (
    <Group className="panel" p="xs" mb="sm" gap="xs" role="region" aria-label="Chosen machines">
      <Text size="sm" fw={600} px="xs">
        {plural(machines.length, "machine")} chosen
      </Text>
      {mine.map((one) => (
        <Button
          key={one.verb}
          size="xs"
          variant={one.final ? "default" : "light"}
          className={one.final ? "danger" : undefined}
          onClick={() => setAction(one)}
        >
          {one.verb}
        </Button>
      ))}
      {me?.role === "admin" && (
        <ButtonLink to={`/commands/run?machines=${machines.map((one) => one.id).join(",")}`} size="xs" variant="light">
          Run a command
        </ButtonLink>
      )}
      <Button size="xs" variant="subtle" onClick={onDone}>
        Choose none
      </Button>
      <Modal
        opened={action !== undefined}
        onClose={() => setAction(undefined)}
        title={`${action?.verb} machines`}
        size="lg"
      >
        {action && <Plan action={action} machines={machines} onClose={() => setAction(undefined)} />}
      </Modal>
    </Group>
  );
}

interface PlanProps {
  action: MachineAction;
  machines: Machine[];
  onClose: () => void;
}

function Plan({ action, machines, onClose }: PlanProps) {
  const client = useQueryClient();
  const [standings, setStandings] = useState<Map<string, Standing>>();
  const [ended, setEnded] = useState(false);
  const [typed, setTyped] = useState("");
  const able = machines.filter(action.can);
  const word = `${action.verb.toLowerCase()} ${able.length}`;
  const go = async () => {
    setStandings(new Map(able.map((machine) => [machine.id, "waiting"])));
    await eachOf(able, action.act, (machine, standing) =>
      setStandings((known) => new Map(known).set(machine.id, standing)),
    );
    setEnded(true);
    void client.invalidateQueries({ queryKey: ["machine"] });
  };
  return (
    <Stack>
      <Text size="sm">
        {plural(able.length, "machine")} {action.effect}.
        {able.length < machines.length &&
          ` ${plural(machines.length - able.length, "machine")} cannot take this now and will be left alone.`}
      </Text>
      <Scrolled label="The plan" most="45dvh" framed>
        {machines.map((machine) => (
          <Group key={machine.id} justify="space-between" px="sm" py={5} wrap="nowrap" gap="sm">
            <Text size="sm" truncate>
              {machine.name}
            </Text>
            <StandingText standing={standings?.get(machine.id)} able={action.can(machine)} />
          </Group>
        ))}
      </Scrolled>
      {action.final && !standings && (
        <TextInput
          label={`Type “${word}” to go on`}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
      )}
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          {ended ? "Close" : "Leave it"}
        </Button>
        {!ended && (
          <Button
            color={action.final ? "red" : undefined}
            loading={standings !== undefined}
            disabled={able.length === 0 || (action.final && typed !== word)}
            onClick={() => void go()}
          >
            {action.verb} {plural(able.length, "machine")}
          </Button>
        )}
      </Group>
    </Stack>
  );
}

function StandingText({ standing, able }: { standing?: Standing; able: boolean }) {
  if (!able)
    return (
      <Text size="sm" c="dimmed">
        Left alone
      </Text>
    );
  if (standing === undefined) return <Text size="sm">Planned</Text>;
  if (typeof standing === "object")
    return (
      <Text size="sm" c="red" title={standing.failed} truncate>
        {standing.failed}
      </Text>
    );
  const words = { waiting: "Waiting", going: "Going on", done: "Done" };
  return (
    <Text size="sm" c={standing === "done" ? "green" : "dimmed"}>
      {words[standing]}
    </Text>
  );
}
