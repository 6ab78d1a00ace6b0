// One job: how far it is, its log, and what came of it.
import { useParams } from "@tanstack/react-router";
import { useOne } from "../../api/lists";
import { Failure } from "../../components/Failure";
import { PageHeader } from "../../components/PageHeader";
import { jobName } from "./jobName";
import { JobStanding } from "./JobStanding";

export default function JobPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const found = useOne("job", "/jobs/{id}", { path: { id } });
  if (found.error) return <Failure error={found.error} retry={() => void found.refetch()} />;
  return (
    <>
      <PageHeader title={found.data ? jobName(found.data) : `Job ${id}`} />
      <section className="panel" style={{ padding: 16 }} aria-label="The job">
        <JobStanding id={Number(id)} />
      </section>
    </>
  );
}
