// Mail: how it stands with it, and its settings.
import { Alert, Loader } from "@mantine/core";
import { ApiError } from "../../api/call";
import { useOne } from "../../api/lists";
import type { MailSettings } from "../../api/schema";
import { Failure } from "../../components/Failure";
import { Section } from "../../components/Section";
import { When } from "../../components/When";
import { plural } from "../../format/bytes";
import { MailForm } from "./MailForm";

export function Mail() {
  const found = useOne("mail_settings", "/mail-settings");
  const none = found.error instanceof ApiError && found.error.status === 404;
  if (found.error && !none) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data && !none) return <Loader aria-label="Reading the mail settings" />;
  const settings = none ? undefined : found.data;
  return (
    <div style={{ maxWidth: 760 }}>
      <Section title="Mail">
        {settings ? <Standing settings={settings} /> : <None />}
        <MailForm key={settings ? "kept" : "none"} settings={settings} />
      </Section>
    </div>
  );
}

function None() {
  return (
    <Alert color="gray" mb="sm">
      No mail is sent yet. Whom a configuration tells is in the configuration; alarms and the digest go to the
      addresses below.
    </Alert>
  );
}

function Standing({ settings }: { settings: MailSettings }) {
  const waiting = settings.waiting > 0 && ` ${plural(settings.waiting, "mail")} waiting.`;
  if (settings.error) {
    return (
      <Alert color="red" mb="sm" title="The last mail was not taken">
        {settings.error}
        {waiting}
      </Alert>
    );
  }
  return (
    <Alert color={settings.delivered_at ? "green" : "gray"} mb="sm">
      {settings.delivered_at ? (
        <>
          The last mail was taken <When at={settings.delivered_at} />.
        </>
      ) : (
        "Nothing was sent with these settings yet."
      )}
      {waiting}
    </Alert>
  );
}
