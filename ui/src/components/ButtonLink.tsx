// A link that looks like the button it stands among.
import { Button, type ButtonProps } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

export function ButtonLink({ to, children, ...button }: ButtonProps & { to: string; children: ReactNode }) {
  return (
    <Button {...button} renderRoot={(props) => <Link to={to} {...props} />}>
      {children}
    </Button>
  );
}
