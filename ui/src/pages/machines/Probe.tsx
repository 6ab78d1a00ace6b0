// What a machine says of itself, asked over SSH when somebody wants to know.
import { Alert, Button, Progress, Stack, Text } from "@mantine/core";
import { useAction } from "../../api/action";
import { post } from "../../api/call";
import type { Disk, Machine, MachineProbe } from "../../api/schema";
import { Facts } from "../../components/Facts";
import { Section } from "../../components/Section";
import { bytes } from "../../format/bytes";
import { span } from "../../format/time";

export function Probe({ machine }: { machine: Machine }) {
  const ask = useAction(() => post("/machines/{id}/probe", { path: { id: machine.id } }), {
    changes: [],
    quiet: true,
  });
  const button = (
    <Button size="xs" variant="light" loading={ask.isPending} onClick={() => ask.mutate()}>
      {ask.data ? "Ask again" : "Ask it"}
    </Button>
  );
  return (
    <Section title="How it is" actions={button}>
      {ask.error && <Alert color="red">{ask.error.message}</Alert>}
      {ask.data ? (
        <Told probe={ask.data} />
      ) : (
        <Text size="sm" c="dimmed">
          Load, memory and disks, as the machine itself tells them.
        </Text>
      )}
    </Section>
  );
}

function Told({ probe }: { probe: MachineProbe }) {
  const memory =
    probe.memory_bytes &&
    `${bytes(probe.memory_available_bytes ?? 0)} of ${bytes(probe.memory_bytes)} to be had`;
  return (
    <Stack>
      <Facts
        facts={[
          ["Host name", probe.hostname],
          ["System", probe.os],
          ["Kernel", probe.kernel],
          ["Processors", probe.cores && `${probe.cores} (${probe.architecture ?? "unknown kind"})`],
          ["Load", probe.load?.map((load) => load.toFixed(2)).join("  ")],
          ["Memory", memory],
          ["Up for", probe.uptime_seconds && span(probe.uptime_seconds)],
          ["Answered in", `${probe.round_trip_ms} ms`],
        ]}
      />
      {probe.disks.map((disk) => (
        <DiskBar key={disk.mount} disk={disk} />
      ))}
    </Stack>
  );
}

function DiskBar({ disk }: { disk: Disk }) {
  const share = disk.total_bytes > 0 ? (disk.used_bytes / disk.total_bytes) * 100 : 0;
  return (
    <div>
      <Text size="sm">
        <span className="mono">{disk.mount}</span> {bytes(disk.used_bytes)} of {bytes(disk.total_bytes)}
      </Text>
      <Progress
        value={share}
        color={share > 90 ? "red" : undefined}
        aria-label={`${disk.mount}: ${share.toFixed(0)} % taken`}
      />
    </div>
  );
}
