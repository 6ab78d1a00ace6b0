// What an order of machines comes to.
import { Alert } from "@mantine/core";
import type { MachinePlan } from "../../api/schema";
import { Facts } from "../../components/Facts";
import { plural } from "../../format/bytes";

export function OrderPlan({ plan }: { plan: MachinePlan }) {
  const price = plan.price
    ? `${plan.price.per_hour} ${plan.price.currency} an hour, all together`
    : "The cloud does not tell.";
  return (
    <Alert title={`${plural(plan.names.length, "machine")} will be made`} color="harbour">
      <Facts
        facts={[
          ["Names", plan.names.join(", ")],
          ["Image", plan.image],
          ["Size", plan.size],
          ["Location", plan.location],
          ["Networks", plan.networks.join(", ")],
          ["Price", price],
        ]}
      />
    </Alert>
  );
}
