// Shows the server's master key, which the server does once.
import { Alert, Button, Checkbox, Group, Modal, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useState } from "react";
import { useAction } from "../../api/action";
import { post } from "../../api/call";
import { CopyLine } from "../../components/CopyLine";

export function MasterKey() {
  const [opened, { open, close }] = useDisclosure(false);
  const [kept, setKept] = useState(false);
  // Told to others when the window closes: until then the step that shows it is to stay where it is.
  const read = useAction(() => post("/setup/master-key"), { changes: ["audit"], quiet: true });
  const done = useAction(() => Promise.resolve(), { changes: ["setup"] });
  const leave = () => {
    close();
    read.reset();
    done.mutate();
  };
  return (
    <>
      <Button size="xs" variant="light" onClick={open}>
        Show the master key
      </Button>
      <Modal
        opened={opened}
        onClose={leave}
        title="The server's master key"
        size="lg"
        closeOnClickOutside={!read.data}
      >
        {read.data ? (
          <Stack>
            <Alert color="yellow">
              It is not shown again after this. Print it, or put it where your other keys are, and not on this server.
            </Alert>
            <CopyLine label="the master key" text={read.data.key} />
            <Text size="sm">
              To bring the server back elsewhere, put it into <code className="mono">master.key</code> in the data folder,
              beside a copy of the database.
            </Text>
            <Checkbox
              label="I have kept it"
              checked={kept}
              onChange={(event) => setKept(event.currentTarget.checked)}
            />
            <Group justify="flex-end">
              <Button disabled={!kept} onClick={leave}>
                Close
              </Button>
            </Group>
          </Stack>
        ) : (
          <Stack>
            <Text size="sm">
              It opens everything that the server keeps sealed: credentials of backends, private keys, passwords of
              vaults. It is shown once, to whoever sets the server up; that it was, and to whom, is in the audit log.
            </Text>
            {read.error && (
              <Alert color="red" role="alert">
                {read.error.message}
              </Alert>
            )}
            <Group justify="flex-end">
              <Button variant="default" onClick={leave}>
                Later
              </Button>
              <Button loading={read.isPending} onClick={() => read.mutate()}>
                Show it
              </Button>
            </Group>
          </Stack>
        )}
      </Modal>
    </>
  );
}
