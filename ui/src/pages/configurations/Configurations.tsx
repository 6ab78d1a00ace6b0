// All backup configurations.
import { IconPlus } from "@tabler/icons-react";
import { useMay } from "../../api/me";
import { ButtonLink } from "../../components/ButtonLink";
import { PageHeader } from "../../components/PageHeader";
import { ConfigurationTable } from "./ConfigurationTable";

export default function Configurations() {
  const mayMake = useMay("creator");
  return (
    <>
      <PageHeader
        title="Backup configurations"
        about="What is backed up, when, how long it is kept, and whom to tell."
      >
        {mayMake && (
          <ButtonLink to="/configurations/create" leftSection={<IconPlus size={16} />}>
            New configuration
          </ButtonLink>
        )}
      </PageHeader>
      <div className="panel">
        <ConfigurationTable />
      </div>
    </>
  );
}
