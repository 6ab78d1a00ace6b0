// A button that opens a window. What is in the window is made when it opens, and forgotten when it closes.
import { Button, type ButtonProps, Modal } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { ReactNode } from "react";

interface Props extends Omit<ButtonProps, "children"> {
  /** What the button says. */
  label: ReactNode;
  /** What the button is called where its label alone says too little. */
  called?: string;
  /** What the window says at its top. */
  title: ReactNode;
  wide?: boolean;
  /** What is in it; `close` closes it. */
  children: (close: () => void) => ReactNode;
}

export function Dialog({ label, called, title, wide = false, children, ...button }: Props) {
  const [opened, { open, close }] = useDisclosure(false);
  return (
    <>
      <Button {...button} onClick={open} aria-label={called}>
        {label}
      </Button>
      <Modal opened={opened} onClose={close} title={title} size={wide ? "lg" : "md"}>
        {children(close)}
      </Modal>
    </>
  );
}
