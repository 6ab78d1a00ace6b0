// An action that is asked about first: what it will do, and for what cannot be undone the name typed again.
import { Button, type ButtonProps, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { type ReactNode, useState } from "react";

interface Props extends ButtonProps {
  children: ReactNode;
  title: string;
  /** What will happen, and what will not. */
  plan: ReactNode;
  /** What has to be typed, for what cannot be undone. */
  typed?: string;
  confirm: string;
  onConfirm: () => void;
}

export function ConfirmButton({ children, title, plan, typed, confirm, onConfirm, ...button }: Props) {
  const [opened, { open, close }] = useDisclosure(false);
  const [text, setText] = useState("");
  const done = () => {
    close();
    setText("");
    onConfirm();
  };
  return (
    <>
      <Button variant="default" {...button} onClick={open}>
        {children}
      </Button>
      <Modal opened={opened} onClose={close} title={title} centered>
        <Stack>
          <Text size="sm" component="div">
            {plan}
          </Text>
          {typed && (
            <TextInput
              label={`Type ${typed} to go on`}
              value={text}
              onChange={(event) => setText(event.currentTarget.value)}
              data-autofocus
            />
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              Leave it
            </Button>
            <Button
              color={typed ? "red" : undefined}
              onClick={done}
              disabled={typed !== undefined && text !== typed}
            >
              {confirm}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}
