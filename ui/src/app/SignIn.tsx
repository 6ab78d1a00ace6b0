// The way in.
import { Alert, Button, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useAction } from "../api/action";
import { ME } from "../api/cache";
import { ApiError, post } from "../api/call";
import { Mark } from "./Mark";

export function SignIn() {
  useDocumentTitle("Sign in – Roadstead");
  const client = useQueryClient();
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const signIn = useAction(() => post("/sessions", {}, { username, password }), {
    changes: [],
    quiet: true,
    // What somebody else was shown in this tab is not for this user.
    after: () => {
      client.removeQueries({ predicate: ({ queryKey }) => queryKey !== ME });
      void client.resetQueries({ queryKey: ME });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    signIn.mutate();
  };
  return (
    <main className="sign-in">
      <form onSubmit={submit} style={{ width: "100%", maxWidth: 360 }}>
        <Stack>
          <Stack align="center" gap={6}>
            <Mark size={52} />
            <Title order={1}>Roadstead</Title>
            <Text c="dimmed" size="sm" ta="center">
              Every machine in one place, and a copy of everything on it that you can get back.
            </Text>
          </Stack>
          {signIn.error && (
            <Alert color="red" role="alert">
              {sentence(signIn.error)}
            </Alert>
          )}
          <TextInput
            label="User"
            autoComplete="username"
            autoFocus
            required
            value={username}
            onChange={(event) => setUsername(event.currentTarget.value)}
          />
          <PasswordInput
            label="Password"
            autoComplete="current-password"
            required
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
          <Button type="submit" loading={signIn.isPending} fullWidth>
            Sign in
          </Button>
          <Text c="dimmed" size="xs">
            The first way in is in <code className="mono">admin.json</code>, in the server's data folder. A
            forgotten password: <code className="mono">roadstead server reset-password</code>.
          </Text>
        </Stack>
      </form>
    </main>
  );
}

function sentence(error: Error): string {
  if (error instanceof ApiError && error.isSignedOut) return "The name or the password is wrong.";
  return error.message;
}
