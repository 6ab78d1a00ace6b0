// A page that could not be shown: after an update of the server its files may have new names.
import { Button } from "@mantine/core";
import { IconReload } from "@tabler/icons-react";
import type { ErrorComponentProps } from "@tanstack/react-router";
import { EmptyState } from "../components/EmptyState";

export function PageFailed({ error }: ErrorComponentProps) {
  const again = <Button onClick={() => window.location.reload()}>Load it again</Button>;
  const hint = `The server may have been updated while this page was open. (${error instanceof Error ? error.message : String(error)})`;
  return <EmptyState icon={IconReload} title="This page could not be shown" hint={hint} action={again} />;
}
