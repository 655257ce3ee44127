import type { ReactNode } from "react";
import type { Escalation } from "~/api/types";
import { When } from "~/components/When";
import { namesOf, nextStep, told } from "./standing";

/** Who is told next, and when; nothing where nobody is. */
function Next({ view, unless }: { view: Escalation; unless: string }): ReactNode {
  if (!view.next) return null;
  const step = nextStep(view);
  const when = <When at={view.next} />;
  if (!step) {
    return (
      <>
        {" "}
        At {when} the chain begins anew or comes to its end{unless}.
      </>
    );
  }
  const names = namesOf(step);
  return (
    <>
      {" "}
      Next: step {step.number} {names ? `tells ${names}` : "has nobody now"} at {when}
      {unless}.
    </>
  );
}

/** How it stands, in a sentence: who has it, who is told next and when, or that nobody was reached. */
export function Standing({ view, who }: { view: Escalation; who?: string | undefined }): ReactNode {
  switch (view.state) {
    case "acknowledged":
      return (
        <>
          {who || "Somebody"} has it.
          <Next view={view} unless=" unless it is over by then" />
        </>
      );
    case "resolved":
      return "It is over: nobody else is told.";
    case "silenced":
      return "All its alerts are silenced, so nobody is told.";
    case "noticed":
      return "Its level pages nobody.";
    case "unreached":
      return (
        <>
          {told(view) ? "Nobody has it: the chain came to its end." : "Nobody was reached."}
          {view.next && (
            <>
              {" "}
              It is tried again at <When at={view.next} />.
            </>
          )}
        </>
      );
    case "waiting":
    case "paging":
      return (
        <>
          Nobody has it yet.
          <Next view={view} unless=" unless somebody acknowledges" />
        </>
      );
  }
  return view.summary;
}
