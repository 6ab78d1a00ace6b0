// The SMTP server that mail goes through, who gets alarms, and when the digest comes.
import { Alert, Button, Group, NumberInput, PasswordInput, Select, Stack, Textarea, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useAction } from "../../api/action";
import { post, remove } from "../../api/call";
import { useMe } from "../../api/me";
import type { MailSecurity, MailSettings, NewMailSettings } from "../../api/schema";
import { ConfirmButton } from "../../components/ConfirmButton";
import { zones } from "../../format/zones";
import { LinesInput } from "../configurations/LinesInput";
import { TestButton } from "./TestButton";

const SECURITIES: { value: MailSecurity; label: string; port: number }[] = [
  { value: "tls", label: "TLS", port: 465 },
  { value: "starttls", label: "STARTTLS", port: 587 },
  { value: "none", label: "None", port: 25 },
];

type Draft = Omit<NewMailSettings, "port"> & { port: number | null };

function draftOf(settings?: MailSettings): Draft {
  return {
    host: settings?.host ?? "",
    port: settings?.port ?? null,
    security: settings?.security ?? "tls",
    username: settings?.username ?? "",
    password: "",
    ca: settings?.ca ?? "",
    sender: settings?.sender ?? "",
    recipients: settings?.recipients ?? [],
    digest_at: settings?.digest_at ?? "",
    timezone: settings?.timezone ?? (Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC"),
  };
}

/** Empty inputs count as absent. */
function bodyOf(draft: Draft): NewMailSettings {
  const { port, username, password, ca, digest_at, ...rest } = draft;
  return {
    ...rest,
    port,
    username: username || null,
    password: password || null,
    ca: ca || null,
    digest_at: digest_at || null,
  };
}

export function MailForm({ settings }: { settings?: MailSettings }) {
  const [draft, setDraft] = useState(draftOf(settings));
  const change = (part: Partial<Draft>) => setDraft((known) => ({ ...known, ...part }));
  const save = useAction(() => post("/mail-settings", {}, bodyOf(draft)), {
    changes: ["mail_settings"],
    quiet: true,
    done: "The mail settings are kept. Send a test to see whether they hold.",
    after: () => change({ password: "" }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <Server draft={draft} change={change} hasPassword={settings?.has_password ?? false} />
        <Addresses draft={draft} change={change} />
        {save.error && (
          <Alert color="red" role="alert">
            {save.error.message}
          </Alert>
        )}
        <Group justify="flex-end">
          {settings && <Forget />}
          <Button type="submit" loading={save.isPending}>
            Save
          </Button>
        </Group>
        {settings && <Test />}
      </Stack>
    </form>
  );
}

interface PartProps {
  draft: Draft;
  change: (part: Partial<Draft>) => void;
}

function Server({ draft, change, hasPassword }: PartProps & { hasPassword: boolean }) {
  const usual = SECURITIES.find((one) => one.value === draft.security)?.port;
  return (
    <>
      <Group grow align="flex-start">
        <TextInput
          label="SMTP server"
          required
          placeholder="smtp.example.com"
          value={draft.host}
          onChange={(event) => change({ host: event.currentTarget.value })}
        />
        <Select
          label="Protected by"
          allowDeselect={false}
          value={draft.security ?? "tls"}
          onChange={(security) => change({ security: security ?? "tls", port: null })}
          data={SECURITIES}
        />
        <NumberInput
          label="Port"
          min={1}
          max={65535}
          placeholder={String(usual)}
          value={draft.port ?? ""}
          onChange={(port) => change({ port: Number(port) || null })}
        />
      </Group>
      <Group grow align="flex-start">
        <TextInput
          label="User"
          autoComplete="off"
          value={draft.username ?? ""}
          onChange={(event) => change({ username: event.currentTarget.value })}
        />
        <PasswordInput
          label="Password of the mail server"
          autoComplete="new-password"
          placeholder={hasPassword ? "The one that is kept" : ""}
          value={draft.password ?? ""}
          onChange={(event) => change({ password: event.currentTarget.value })}
        />
      </Group>
      <Textarea
        label="CA"
        description="A certificate in PEM that is trusted beside the public ones."
        autosize
        minRows={1}
        maxRows={6}
        value={draft.ca ?? ""}
        onChange={(event) => change({ ca: event.currentTarget.value })}
      />
    </>
  );
}

function Addresses({ draft, change }: PartProps) {
  return (
    <>
      <TextInput
        label="Mail comes from"
        required
        type="email"
        placeholder="roadstead@example.com"
        value={draft.sender}
        onChange={(event) => change({ sender: event.currentTarget.value })}
      />
      <LinesInput
        label="Alarms and the digest go to"
        description="An address a line, up to 20."
        placeholder="ops@example.com"
        value={draft.recipients ?? []}
        onChange={(recipients) => change({ recipients })}
      />
      <Group grow align="flex-start">
        <TextInput
          label="Daily digest at"
          description="Empty for none."
          type="time"
          value={draft.digest_at ?? ""}
          onChange={(event) => change({ digest_at: event.currentTarget.value })}
        />
        <Select
          label="By the clocks of"
          description="A time zone."
          searchable
          limit={100}
          allowDeselect={false}
          value={draft.timezone ?? "UTC"}
          onChange={(zone) => change({ timezone: zone ?? "UTC" })}
          data={zones(draft.timezone ?? "UTC")}
        />
      </Group>
    </>
  );
}

function Test() {
  const { data: me } = useMe();
  const [to, setTo] = useState(me?.username.includes("@") ? me.username : "");
  return (
    <Group align="flex-end" gap="xs">
      <TextInput
        label="Send a test to"
        type="email"
        style={{ flex: 1 }}
        value={to}
        onChange={(event) => setTo(event.currentTarget.value)}
      />
      <TestButton
        label="Send a test mail"
        size="sm"
        changes="mail_settings"
        disabled={to === ""}
        test={() => post("/mail-settings/test", {}, { to })}
      />
    </Group>
  );
}

function Forget() {
  const forget = useAction(() => remove("/mail-settings", {}), {
    changes: ["mail_settings"],
    done: "No mail is sent any more.",
  });
  return (
    <ConfirmButton
      title="Delete the mail settings?"
      plan="No mail is sent any more, also not what waits to be sent."
      confirm="Delete them"
      loading={forget.isPending}
      onConfirm={() => forget.mutate()}
    >
      Delete
    </ConfirmButton>
  );
}
