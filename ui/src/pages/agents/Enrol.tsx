// Enrols an agent: a token, and the lines to run with it.
import { Alert, Button, type ButtonProps, Loader, Modal, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { useAction } from "../../api/action";
import { post } from "../../api/call";
import { CopyLine } from "../../components/CopyLine";
import { When } from "../../components/When";

/** Where an agent that came with a package keeps its things. */
const FOLDER = "/var/lib/roadstead-agent";

export function Enrol(button: ButtonProps) {
  const [opened, { open, close }] = useDisclosure(false);
  const make = useAction(() => post("/agents/tokens", {}, {}), { changes: [], quiet: true });
  const begin = () => {
    make.mutate();
    open();
  };
  return (
    <>
      <Button leftSection={<IconPlus size={16} />} {...button} onClick={begin}>
        Enrol an agent
      </Button>
      <Modal opened={opened} onClose={close} title="Enrol an agent" size="lg">
        {make.error && <Alert color="red">{make.error.message}</Alert>}
        {make.isPending && <Loader aria-label="Making a token" />}
        {make.data && <Lines token={make.data.token} expires={make.data.expires_at} />}
      </Modal>
    </>
  );
}

function Lines({ token, expires }: { token: string; expires: string }) {
  const server = window.location.origin;
  return (
    <Stack>
      <Text size="sm">
        On the machine that is to be backed up, with the program <code className="mono">roadstead</code>{" "}
        installed, run as root:
      </Text>
      <CopyLine
        label="the enrolment line"
        text={`roadstead agent enroll --server ${server} --token ${token} --data-dir ${FOLDER}`}
      />
      <CopyLine label="the line that runs the agent" text={`roadstead agent run --data-dir ${FOLDER}`} />
      <Text size="sm" c="dimmed" component="div">
        The token enrols one agent and ends <When at={expires} />. The agent appears in the list by itself;
        compare its fingerprint with the one that was printed.
      </Text>
    </Stack>
  );
}
