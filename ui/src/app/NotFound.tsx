import { Anchor } from "@mantine/core";
import { IconCompass } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { EmptyState } from "../components/EmptyState";

export function NotFound() {
  const back = <Anchor renderRoot={(props) => <Link to="/" {...props} />}>To the overview</Anchor>;
  return (
    <EmptyState
      icon={IconCompass}
      title="There is no such page"
      hint="The address may have a slip in it."
      action={back}
    />
  );
}
