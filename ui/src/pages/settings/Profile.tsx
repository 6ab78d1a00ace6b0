// Who one is, and one's password.
import { PasswordInput } from "@mantine/core";
import { useState } from "react";
import { useAction } from "../../api/action";
import { post } from "../../api/call";
import { useMe } from "../../api/me";
import { Facts } from "../../components/Facts";
import { Form } from "../../components/Form";
import { Section } from "../../components/Section";
import { words } from "../../format/words";

const ROLES = {
  observer: "Reads, but no file content and no secrets.",
  creator: "Also makes and changes.",
  admin: "Also deletes, reads secrets and manages users.",
};

export function Profile() {
  const { data: me } = useMe();
  if (!me) return null;
  return (
    <div style={{ maxWidth: 560 }}>
      <Section title="You">
        <Facts
          facts={[
            ["Name", me.username],
            ["Role", `${words(me.role)}. ${ROLES[me.role]}`],
          ]}
        />
      </Section>
      <Section title="Password">
        <PasswordForm />
      </Section>
    </div>
  );
}

function PasswordForm() {
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const [again, setAgain] = useState("");
  const change = useAction(() => post("/users/me/password", {}, { current, new: next }), {
    changes: ["session", "setup"],
    quiet: true,
    done: "The password was changed. Your other sessions have ended.",
    after: () => {
      setCurrent("");
      setNext("");
      setAgain("");
    },
  });
  const differs = again !== "" && again !== next;
  return (
    <Form send="Change the password" action={change} disabled={differs || next === ""}>
      <PasswordInput
        label="The one until now"
        autoComplete="current-password"
        required
        value={current}
        onChange={(event) => setCurrent(event.currentTarget.value)}
      />
      <PasswordInput
        label="The new one"
        description="12 characters or more."
        autoComplete="new-password"
        required
        minLength={12}
        value={next}
        onChange={(event) => setNext(event.currentTarget.value)}
      />
      <PasswordInput
        label="The new one again"
        autoComplete="new-password"
        required
        error={differs && "It differs from the one above."}
        value={again}
        onChange={(event) => setAgain(event.currentTarget.value)}
      />
    </Form>
  );
}
