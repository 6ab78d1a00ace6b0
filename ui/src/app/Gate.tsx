// Nothing is shown to whoever is not signed in, but where to sign in; the address stays, and is where one comes out.
import { Center, Loader } from "@mantine/core";
import type { ReactNode } from "react";
import { useMe } from "../api/me";
import { Failure } from "../components/Failure";
import { SignIn } from "./SignIn";

export function Gate({ children }: { children: ReactNode }) {
  const me = useMe();
  if (me.isPending) {
    return (
      <Center h="100dvh">
        <Loader aria-label="Loading" />
      </Center>
    );
  }
  if (me.error && !me.data) return <Failure error={me.error} retry={() => void me.refetch()} />;
  return me.data ? children : <SignIn />;
}
