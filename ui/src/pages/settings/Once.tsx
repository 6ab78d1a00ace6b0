// A secret that the server tells this once.
import { Alert, Stack } from "@mantine/core";
import { CopyLine } from "../../components/CopyLine";

export function Once({ secret, label, hint }: { secret: string; label: string; hint: string }) {
  return (
    <Stack>
      <Alert color="yellow">It is shown this once. {hint}</Alert>
      <CopyLine label={label} text={secret} />
    </Stack>
  );
}
