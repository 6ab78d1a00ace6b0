// How the server is set up: where its state and the backups are, and how its connections are protected.
import { Loader } from "@mantine/core";
import { useAll, useOne } from "../../api/lists";
import type { Setup } from "../../api/schema";
import { Facts } from "../../components/Facts";
import { Failure } from "../../components/Failure";
import { Known } from "../../components/Known";
import { Section } from "../../components/Section";
import { When } from "../../components/When";
import { MasterKey } from "./MasterKey";

const DATABASES = {
  sqlite: "SQLite, in a file of the data folder: one server",
  postgres: "PostgreSQL: several servers may share it",
};
const STORES = { disk: "In a folder of the server", bucket: "In a bucket of an object store" };
const TLS = {
  none: "None: nobody but the machine itself reaches the server",
  own: "With a certificate by the server's own CA",
  given: "With a certificate that was given",
};

export function ServerFacts() {
  const found = useOne("setup", "/setup");
  if (found.error) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Loader aria-label="Reading how the server is set up" />;
  return (
    <div style={{ maxWidth: 760 }}>
      <Section title="Server">
        <Told setup={found.data} />
      </Section>
    </div>
  );
}

function Told({ setup }: { setup: Setup }) {
  const places = useAll("copy_target", "/copy-targets");
  return (
    <Facts
      facts={[
        ["Version", setup.version],
        ["Address", <Mono key="a" text={setup.public_url} />],
        ["State", DATABASES[setup.database]],
        ["Backups", STORES[setup.vault_store]],
        [
          "Places for copies",
          <Known key="p" of={places} reading="the places" quiet>
            {(all) => all.map((place) => place.name).join(", ") || "None (copy_targets)"}
          </Known>,
        ],
        ["TLS", TLS[setup.tls]],
        ["Fingerprint of the CA", setup.ca_fingerprint && <Mono text={setup.ca_fingerprint} />],
        [
          "Master key",
          setup.master_key_shown_at ? (
            <>
              Shown <When at={setup.master_key_shown_at} />, to be kept elsewhere
            </>
          ) : (
            <MasterKey />
          ),
        ],
      ]}
    />
  );
}

function Mono({ text }: { text: string }) {
  return <span className="mono">{text}</span>;
}
