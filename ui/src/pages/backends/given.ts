// What of a form was filled in: empty inputs count as absent.
import type { Values } from "../../components/FieldForm";

export function given(values: Values): Values {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== "" && value !== null));
}
